"""Keyword-only parameters, annotations, trailing commas, `layer_number` in the outer code."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn as nn
import torch.nn.functional as F

SCALED = r"decoder\.(\d+)\.(pre_attention_norm|pre_mlp_norm)"


class DecoderBlock(nn.Module):
    def __init__(
        self,
        *,
        embed_dim: int,
        num_heads: int = 2,
        norm_eps: float = 1e-5,  # as in the paper
        layer_idx: int,
        **factory: Any,
    ) -> None:
        super().__init__()
        norm = nn.LayerNorm(embed_dim, eps=norm_eps, **factory)
        self.pre_attention_norm = norm
        self.pre_mlp_norm = nn.LayerNorm(embed_dim, eps=norm_eps, **factory)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.attention = nn.MultiheadAttention(embed_dim, num_heads, batch_first=True, **factory)
        self.mlp = nn.Linear(embed_dim, embed_dim, **factory)

    def forward(self, *, hidden: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        normed = self.pre_attention_norm(hidden) * self.ln_scale
        attended, _ = self.attention(
            query=normed, key=normed, value=normed, attn_mask=mask, need_weights=False
        )
        hidden = torch.add(hidden, attended)
        output = hidden.clone()
        output += F.gelu(self.mlp(self.pre_mlp_norm(hidden) * self.ln_scale))
        return output


class Decoder(nn.Module):
    def __init__(self, *, embed_dim: int = 12, depth: int = 3) -> None:
        super().__init__()
        options = {"num_heads": 3}
        self.embedding = nn.Embedding(20, embed_dim)
        self.decoder = nn.ModuleList(
            DecoderBlock(
                embed_dim=embed_dim,
                **options,
                layer_idx=layer_idx,
            )
            for layer_idx in range(depth)
        )
        self.norm = nn.LayerNorm(embed_dim)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = self.embedding(tokens)
        for block in self.decoder:
            hidden = block(hidden=hidden)
        return self.norm(hidden)


def build():
    return Decoder(), (torch.randint(20, (2, 6)),)
