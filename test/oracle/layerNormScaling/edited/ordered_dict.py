"""Layers in an OrderedDict; the norm is a partial."""

import torch
from collections import OrderedDict
from functools import partial
from torch import nn
from typing import Callable
SCALED = r"layers\.encoder_layer_(\d+)\.ln_[12]"


class MLPBlock(nn.Sequential):
    def __init__(self, a, b):
        super().__init__(nn.Linear(a, b), nn.GELU(), nn.Linear(b, a))


class EncoderBlock(nn.Module):
    
    def __init__(
        self,
        num_heads: int,
        hidden_dim: int,
        dropout: float,
        norm_layer: Callable[..., torch.nn.Module] = partial(nn.LayerNorm, eps=1e-6),
        *,
        layer_idx: int,
    ):
        super().__init__()
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.mlp = MLPBlock(hidden_dim, 16)

    def forward(self, input: torch.Tensor):
        torch._assert(input.dim() == 3, f"Expected (batch_size, seq_length, hidden_dim) got {input.shape}")
        x = self.ln_1(input) * self.ln_scale
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x)
        x = x + input
        y = self.ln_2(x) * self.ln_scale
        y = self.mlp(y)
        return x + y


class Encoder(nn.Module):
    def __init__(self, num_layers: int, num_heads: int, hidden_dim: int, norm_layer=partial(nn.LayerNorm, eps=1e-6)):
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, 5, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(0.0)
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for i in range(num_layers):
            layers[f"encoder_layer_{i}"] = EncoderBlock(
                num_heads,
                hidden_dim,
                0.0,
                norm_layer,
                layer_idx=i,
            )
        self.layers = nn.Sequential(layers)
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: torch.Tensor):
        input = input + self.pos_embedding
        return self.ln(self.layers(self.dropout(input)))


def build():
    return Encoder(3, 2, 8), (torch.randn(2, 5, 8),)
