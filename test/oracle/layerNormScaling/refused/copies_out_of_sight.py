"""The copies are made in a list that no statement keeps."""

import copy

import torch.nn as nn

REASON = "shared-block"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.attn = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        x = x + self.ff(self.norm2(x))
        return x


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        block = Block(dim)
        self.layers = self.wrapped([copy.deepcopy(block) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)

    def wrapped(self, layers):
        return nn.ModuleList(reversed(layers))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)
