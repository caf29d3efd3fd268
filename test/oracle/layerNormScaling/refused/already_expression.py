"""Divides where the norm is applied."""

import math

import torch.nn as nn

REASON = "already"


class Block(nn.Module):
    def __init__(self, dim, layer_idx):
        super().__init__()
        self.layer_idx = layer_idx
        self.ff = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        h = self.norm(x)
        h = h / math.sqrt(self.layer_idx + 1)
        return x + self.ff(h)


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim, i) for i in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
