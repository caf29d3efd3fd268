"""Two stacks of copies on one residual stream: the second counts from 0 again."""

import copy

import torch.nn as nn

REASON = "unclear-index"


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
        first = Block(dim)
        self.early = nn.ModuleList([copy.deepcopy(first) for _ in range(depth)])
        second = Block(dim)
        self.late = nn.ModuleList([copy.deepcopy(second) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.early:
            x = layer(x)
        for layer in self.late:
            x = layer(x)
        return self.norm(x)
