"""The model hands the factor to its layers."""

REASON = "already"

import math, torch, torch.nn as nn


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.n = nn.LayerNorm(d); self.f = nn.Linear(d, d)
    def forward(self, x, scale=1.0):
        return x + self.f(self.n(x) * scale)


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(8) for i in range(3)])
    def forward(self, x):
        for i, l in enumerate(self.layers): x = l(x, 1 / math.sqrt(i + 1))
        return x
