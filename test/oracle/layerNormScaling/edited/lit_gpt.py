"""LitGPT's: a norm class that the config names, parallel or not, one norm or two by the config."""

from dataclasses import dataclass
from typing import Optional, Type

import torch
import torch.nn as nn

SCALED = r"transformer\.h\.(\d+)\.norm_[12]"


@dataclass
class Config:
    n_layer: int = 3
    n_embd: int = 8
    vocab: int = 20
    norm_eps: float = 1e-5
    parallel_residual: bool = True
    shared_attention_norm: bool = False
    post_attention_norm: bool = False
    _norm_class: str = "RMSNorm"

    @property
    def norm_class(self) -> Type:
        if self._norm_class == "RMSNorm":
            return RMSNorm
        return getattr(torch.nn, self._norm_class)


class RMSNorm(torch.nn.Module):
    def __init__(self, size: int, dim: int = -1, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(size))
        self.eps = eps
        self.dim = dim

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        norm_x = torch.mean(x * x, dim=self.dim, keepdim=True)
        return self.weight * (x * torch.rsqrt(norm_x + self.eps))


class CausalSelfAttention(nn.Module):
    def __init__(self, config: Config, block_idx: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.proj = nn.Linear(config.n_embd, config.n_embd)
        self.block_idx = block_idx

    def forward(self, x: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        q, k, v = self.qkv(x).split(x.size(-1), dim=-1)
        return self.proj(torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True))


class MLP(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.fc = nn.Linear(config.n_embd, 2 * config.n_embd)
        self.proj = nn.Linear(2 * config.n_embd, config.n_embd)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.proj(torch.nn.functional.gelu(self.fc(x)))


class Block(nn.Module):
    def __init__(self, config: Config, block_idx: int) -> None:
        super().__init__()
        self.norm_1 = config.norm_class(config.n_embd, eps=config.norm_eps)
        self.attn = CausalSelfAttention(config, block_idx)
        self.norm_2 = (
            None if config.shared_attention_norm else config.norm_class(config.n_embd, eps=config.norm_eps)
        )
        self.ln_scale = (block_idx + 1) ** -0.5  # LayerNorm Scaling
        self.mlp = MLP(config)
        self.config = config

    def forward(self, x: torch.Tensor, mask: Optional[torch.Tensor] = None) -> torch.Tensor:
        x_normed = self.norm_1(x) * self.ln_scale
        attention_output = self.attn(x_normed, mask)
        if self.config.parallel_residual:
            if not self.config.shared_attention_norm:
                x_normed = self.norm_2(x) * self.ln_scale
            x = attention_output + x
        else:
            x = attention_output + x
            x_normed = self.norm_2(x) * self.ln_scale
        return self.mlp(x_normed) + x


class GPT(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.lm_head = nn.Linear(config.n_embd, config.vocab, bias=False)
        self.transformer = nn.ModuleDict(
            dict(
                wte=nn.Embedding(config.vocab, config.n_embd),
                h=nn.ModuleList(Block(config, block_idx) for block_idx in range(config.n_layer)),
                ln_f=config.norm_class(config.n_embd, eps=config.norm_eps),
            )
        )

    def forward(self, idx: torch.Tensor) -> torch.Tensor:
        x = self.transformer.wte(idx)
        for block in self.transformer.h:
            x = block(x)
        x = self.transformer.ln_f(x)
        return self.lm_head(x)


def build():
    return GPT(Config()), (torch.randint(20, (2, 5)),)
