"""A module of its own scales."""

REASON = "already"

import math, torch, torch.nn as nn


class Scale(nn.Module):
    def __init__(self, idx):
        super().__init__()
        self.v = 1 / math.sqrt(idx + 1)
    def forward(self, x):
        return x * self.v


class Block(nn.Module):
    def __init__(self, d, idx):
        super().__init__()
        self.n = nn.LayerNorm(d); self.f = nn.Linear(d, d)
        self.s = Scale(idx)
    def forward(self, x):
        return x + self.f(self.s(self.n(x)))


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(8, i) for i in range(3)])
    def forward(self, x):
        for l in self.layers: x = l(x)
        return x
