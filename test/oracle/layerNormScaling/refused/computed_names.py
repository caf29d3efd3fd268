"""Norms looked up by computed names."""

import torch.nn as nn

REASON = "unclear-norm"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.attn = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)
        for i in range(2):
            setattr(self, f"norm{i}", nn.LayerNorm(dim))

    def forward(self, x):
        x = x + self.attn(getattr(self, f"norm{0}")(x))
        x = x + self.ff(getattr(self, f"norm{1}")(x))
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
