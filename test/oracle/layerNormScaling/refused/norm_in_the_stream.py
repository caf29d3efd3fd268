"""The first layer normalises the stream itself."""

REASON = "post-norm"

import torch, torch.nn as nn


class Block(nn.Module):
    def __init__(self, d, layer_idx):
        super().__init__()
        self.pre = nn.LayerNorm(d) if layer_idx == 0 else nn.Identity()
        self.n = nn.LayerNorm(d); self.f = nn.Linear(d, d)
    def forward(self, x):
        x = self.pre(x)
        return x + self.f(self.n(x))


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Block(8, i) for i in range(3)])
    def forward(self, x):
        for l in self.layers: x = l(x)
        return x
