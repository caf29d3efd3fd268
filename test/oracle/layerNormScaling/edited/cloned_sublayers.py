"""Layers made in a loop, each with clones of its residual connection."""

import copy

import torch
import torch.nn as nn

SCALED = r"layers\.(\d+)\.residual\.\d+\.norm"


def clones(module, count):
    return nn.ModuleList(copy.deepcopy(module) for _ in range(count))


class Residual(nn.Module):
    def __init__(self, dim, layer_idx):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def forward(self, x, sublayer):
        return x + sublayer(self.norm(x) * self.ln_scale)


class Layer(nn.Module):
    def __init__(self, dim, layer_idx):
        super().__init__()
        self.attention = nn.MultiheadAttention(dim, 2, batch_first=True)
        self.feed_forward = nn.Linear(dim, dim)
        self.residual = clones(Residual(dim, layer_idx=layer_idx), 2)

    def forward(self, x):
        x = self.residual[0](x, lambda y: self.attention(y, y, y)[0])
        return self.residual[1](x, self.feed_forward)


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Layer(dim, layer_idx=layer_idx) for layer_idx in range(depth)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def build():
    return Model(8, 3), (torch.randn(2, 5, 8),)
