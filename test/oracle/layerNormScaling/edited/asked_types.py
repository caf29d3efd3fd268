"""The norm's own type is asked for, a type is looked up by name, and a linear layer is subclassed."""

import torch
import torch.nn as nn

SCALED = r"layers\.(\d+)\.norm[12]"


class Projection(nn.Linear):
    def forward(self, x):
        return super().forward(x) * 2


class Block(nn.Module):
    def __init__(self, dim, dtype, layer_idx):
        super().__init__()
        self.dtype = getattr(torch, dtype)
        self.norm1 = nn.LayerNorm(dim)
        self.mix = Projection(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.ff = Projection(dim, dim)

    def forward(self, x):
        x = x + self.mix(self.norm1(x.to(dtype=self.norm1.weight.dtype)) * self.ln_scale)
        return x + self.ff(self.norm2(x.to(self.norm2.weight.dtype)) * self.ln_scale)


class Model(nn.Module):
    def __init__(self, dim, depth, dtype="float64"):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim, dtype, layer_idx=layer_idx) for layer_idx in range(depth)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def build():
    return Model(8, 3), (torch.randn(2, 5, 8),)
