"""Mix-LN: the first layers are Post-LN."""

REASON = "post-norm"

import torch, torch.nn as nn


class Block(nn.Module):
    def __init__(self, d, i):
        super().__init__()
        self.post = i < 2
        self.n = nn.LayerNorm(d); self.f = nn.Linear(d, d)
    def forward(self, x):
        if self.post:
            return self.n(x + self.f(x))
        return x + self.f(self.n(x))


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(8, i) for i in range(3)])
    def forward(self, x):
        for l in self.layers: x = l(x)
        return x
