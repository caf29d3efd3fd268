"""The norm is in the middle of a Sequential."""

import torch.nn as nn

REASON = "unclear-norm"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.attn = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)
        self.a = nn.Sequential(nn.Dropout(0.1), nn.LayerNorm(dim), self.attn)
        self.b = nn.Sequential(nn.Dropout(0.1), nn.LayerNorm(dim), self.ff)

    def forward(self, x):
        x = x + self.a(x)
        x = x + self.b(x)
        return x


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)
