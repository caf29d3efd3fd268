"""Copies of one layer."""

import copy

import torch
import torch.nn as nn

SCALED = r"layers\.(\d+)\.norm[12]"


class Block(nn.Module):
    ln_scale = 1.0  # LayerNorm Scaling: set where the layers are copied

    def __init__(self, dim):
        super().__init__()
        self.attn = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x) * self.ln_scale)
        x = x + self.ff(self.norm2(x) * self.ln_scale)
        return x


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        block = Block(dim)
        self.layers = nn.ModuleList([copy.deepcopy(block) for _ in range(depth)])
        for layer_idx, layer in enumerate(self.layers):
            layer.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def build():
    return Model(8, 3), (torch.randn(2, 5, 8),)
