"""Layers made by a function, norms in a nested function."""

import torch
from torch import nn
SCALED = r"encoder\.layers\.(\d+)\.norm[12]"


class Layer(nn.Module):
    def __init__(self, d, p=0.0, *, layer_idx):
        super().__init__()
        self.norm1 = nn.LayerNorm(d); self.norm2 = nn.LayerNorm(d)
        self.a = nn.Linear(d, d); self.f = nn.Linear(d, d)
        self.drop = nn.Dropout(p); self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def forward(self, x):
        def branch(y):
            return self.a(self.norm1(y) * self.ln_scale)
        x = self.drop(branch(x)) + x
        return self.drop(self.f(self.norm2(x) * self.ln_scale)) + x


class Enc(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(8)

    def forward(self, x):
        for l in self.layers: x = l(x)
        return self.norm(x)


def make_layer(d, layer_idx):
    return Layer(d, p=0.0, layer_idx=layer_idx)


def make_encoder(d, n):
    return Enc([make_layer(d, layer_idx=layer_idx) for layer_idx in range(n)])


class M(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = make_encoder(8, 3)

    def forward(self, x):
        return self.encoder(x)


def build():
    return M(), (torch.randn(2, 5, 8),)
