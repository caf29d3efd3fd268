"""A small LLaMA-style decoder in plain PyTorch.

The parameter names are those of Hugging Face's LlamaForCausalLM. One switch,
`Config.layer_norm_scaling`, turns the Pre-LN model into its LayerNorm Scaling twin
(Sun et al., arXiv 2502.05795); it adds no parameters. Other norm schemes are in schemes.py.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass(frozen=True)
class Config:
    vocab_size: int = 1024
    hidden_size: int = 64
    intermediate_size: int = 192
    num_hidden_layers: int = 16
    num_attention_heads: int = 2
    max_position_embeddings: int = 256
    rms_norm_eps: float = 1e-5
    rope_theta: float = 10000.0
    initializer_range: float = 0.07
    layer_norm_scaling: bool = False

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


class RMSNorm(nn.Module):
    """y = scale · weight · x / √(mean(x²) + eps)"""

    def __init__(self, hidden_size: int, eps: float, scale: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.eps = eps
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # The mean square is taken in fp32 whatever the autocast type.
        x32 = x.float()
        normalized = x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + self.eps)
        return self.scale * self.weight * normalized


def rotary_tables(config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    """cos and sin of position · theta^(−2k/head_dim), each [positions, head_dim]."""
    exponents = torch.arange(0, config.head_dim, 2).float() / config.head_dim
    inverse_frequencies = config.rope_theta**-exponents
    positions = torch.arange(config.max_position_embeddings).float()
    angles = torch.outer(positions, inverse_frequencies)
    # Half-split convention: channel k rotates with channel k + head_dim / 2.
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def apply_rotary(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-second, first], dim=-1) * sin


class Attention(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        size = config.hidden_size
        self.num_heads = config.num_attention_heads
        self.head_dim = config.head_dim
        self.q_proj = nn.Linear(size, size, bias=False)
        self.k_proj = nn.Linear(size, size, bias=False)
        self.v_proj = nn.Linear(size, size, bias=False)
        self.o_proj = nn.Linear(size, size, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        batch, length, size = x.shape

        def heads(projected: torch.Tensor) -> torch.Tensor:
            return projected.view(batch, length, self.num_heads, self.head_dim).transpose(1, 2)

        v = heads(self.v_proj(x))
        q = apply_rotary(heads(self.q_proj(x)), cos, sin).to(v.dtype)
        k = apply_rotary(heads(self.k_proj(x)), cos, sin).to(v.dtype)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, size))


class FeedForward(nn.Module):
    """SwiGLU: down(silu(gate(x)) · up(x))"""

    def __init__(self, config: Config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, config: Config, layer_index: int):
        super().__init__()
        # LayerNorm Scaling: both norms of layer ℓ = index + 1 are multiplied by 1/√ℓ.
        scale = 1 / math.sqrt(layer_index + 1) if config.layer_norm_scaling else 1.0
        self.self_attn = Attention(config)
        self.mlp = FeedForward(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps, scale)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps, scale)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            DecoderLayer(config, index) for index in range(config.num_hidden_layers)
        )
        # The final norm is never scaled.
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        cos, sin = rotary_tables(config)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        x = self.embed_tokens(input_ids)
        length = input_ids.shape[1]
        cos, sin = self.cos[:length], self.sin[:length]
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.norm(x)


class CausalLM(nn.Module):
    """The decoder with a language-model head tied to the token embedding."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.model = Model(config)
        self.apply(self._initialize)

    def _initialize(self, module: nn.Module) -> None:
        # Every matrix starts at the same standard deviation: scaling down the residual
        # projections would also damp the variance growth, and hide what the twins compare.
        # 0.07 · √64 = 0.02 · √768: the usual 0.02 would be much weaker at this width.
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=self.config.initializer_range)

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Logits, [batch, length, vocab_size]."""
        return F.linear(self.model(input_ids), self.model.embed_tokens.weight)
