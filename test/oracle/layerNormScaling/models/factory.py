"""Layers made by a function, norms in a nested function."""

import torch
from torch import nn
SCALED = r"encoder\.layers\.(\d+)\.norm[12]"


class Layer(nn.Module):
    def __init__(self, d, p=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(d); self.norm2 = nn.LayerNorm(d)
        self.a = nn.Linear(d, d); self.f = nn.Linear(d, d)
        self.drop = nn.Dropout(p)

    def forward(self, x):
        def branch(y):
            return self.a(self.norm1(y))
        x = self.drop(branch(x)) + x
        return self.drop(self.f(self.norm2(x))) + x


class Enc(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        for l in self.layers: x = l(x)
        return self.norm(x)


def make_layer(d):
    return Layer(d, p=0.0)


def make_encoder(d, n):
    return Enc([make_layer(d) for _ in range(n)])


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = make_encoder(8, 3)

    def forward(self, x):
        return self.encoder(x)


def build():
    return M(), (torch.randn(2, 5, 8),)
