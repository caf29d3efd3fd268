"""Scales by a registered buffer."""

REASON = "already"

import math, torch, torch.nn as nn


class Block(nn.Module):
    def __init__(self, d, idx):
        super().__init__()
        self.n = nn.LayerNorm(d); self.f = nn.Linear(d, d)
        self.register_buffer("s", torch.tensor(1 / math.sqrt(idx + 1)))
    def forward(self, x):
        return x + self.f(self.n(x) * self.s)


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(8, i) for i in range(3)])
    def forward(self, x):
        for l in self.layers: x = l(x)
        return x
