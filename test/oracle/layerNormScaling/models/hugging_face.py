"""The style of transformers: a config object, `residual` kept aside, no index in the layer."""

from dataclasses import dataclass
from typing import Optional

import torch
from torch import nn

SCALED = r"model\.layers\.(\d+)\.(input_layernorm|post_attention_layernorm)"


@dataclass
class FableConfig:
    vocab_size: int = 40
    hidden_size: int = 16
    num_hidden_layers: int = 3
    num_attention_heads: int = 2
    rms_norm_eps: float = 1e-6


class FableRMSNorm(nn.Module):
    def __init__(self, hidden_size, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.variance_epsilon = eps

    def forward(self, hidden_states):
        input_dtype = hidden_states.dtype
        variance = hidden_states.pow(2).mean(-1, keepdim=True)
        hidden_states = hidden_states * torch.rsqrt(variance + self.variance_epsilon)
        return self.weight * hidden_states.to(input_dtype)


class FableAttention(nn.Module):
    def __init__(self, config: FableConfig):
        super().__init__()
        self.heads = config.num_attention_heads
        self.head_dim = config.hidden_size // self.heads
        self.q_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.k_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.v_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.o_proj = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.q_norm = FableRMSNorm(self.head_dim, eps=config.rms_norm_eps)
        self.k_norm = FableRMSNorm(self.head_dim, eps=config.rms_norm_eps)

    def forward(self, hidden_states, attention_mask=None):
        shape = (*hidden_states.shape[:-1], self.heads, self.head_dim)
        query = self.q_norm(self.q_proj(hidden_states).view(shape)).transpose(1, 2)
        key = self.k_norm(self.k_proj(hidden_states).view(shape)).transpose(1, 2)
        value = self.v_proj(hidden_states).view(shape).transpose(1, 2)
        output = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        output = output.transpose(1, 2).flatten(-2)
        return self.o_proj(output), None


class FableMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, 24, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, 24, bias=False)
        self.down_proj = nn.Linear(24, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


class FableDecoderLayer(nn.Module):
    def __init__(self, config: FableConfig):
        super().__init__()
        self.hidden_size = config.hidden_size

        self.self_attn = FableAttention(config=config)
        self.mlp = FableMLP(config)
        self.input_layernorm = FableRMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.post_attention_layernorm = FableRMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: Optional[torch.Tensor] = None,
        output_attentions: bool = False,
        **kwargs,
    ) -> tuple:
        residual = hidden_states

        hidden_states = self.input_layernorm(hidden_states)

        # Self Attention
        hidden_states, self_attn_weights = self.self_attn(
            hidden_states=hidden_states,
            attention_mask=attention_mask,
        )
        hidden_states = residual + hidden_states

        # Fully Connected
        residual = hidden_states
        hidden_states = self.post_attention_layernorm(hidden_states)
        hidden_states = self.mlp(hidden_states)
        hidden_states = residual + hidden_states

        outputs = (hidden_states,)
        if output_attentions:
            outputs += (self_attn_weights,)
        return outputs


class FablePreTrainedModel(nn.Module):
    _no_split_modules = ["FableDecoderLayer"]

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            module.weight.data.normal_(mean=0.0, std=0.02)
        elif isinstance(module, FableDecoderLayer):
            pass


class FableModel(FablePreTrainedModel):
    def __init__(self, config: FableConfig):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            [FableDecoderLayer(config) for _ in range(config.num_hidden_layers)]
        )
        self.norm = FableRMSNorm(config.hidden_size, eps=config.rms_norm_eps)

    def forward(self, input_ids, attention_mask=None):
        hidden_states = self.embed_tokens(input_ids)
        all_hidden_states = ()
        for decoder_layer in self.layers:
            all_hidden_states += (hidden_states,)
            layer_outputs = decoder_layer(hidden_states, attention_mask=attention_mask)
            hidden_states = layer_outputs[0]
        hidden_states = self.norm(hidden_states)
        return hidden_states


class FableForCausalLM(FablePreTrainedModel):
    def __init__(self, config):
        super().__init__()
        self.model = FableModel(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def forward(self, input_ids):
        return self.lm_head(self.model(input_ids))


def build():
    config = FableConfig()
    return FableForCausalLM(config), (torch.randint(config.vocab_size, (2, 7)),)
