"""A loop appends a copy of one layer; an nn.Sequential holds them."""

from copy import deepcopy

import torch
import torch.nn as nn

SCALED = r"layers\.(\d+)\.(?:norm|ff_norm)"


class Layer(nn.Module):
    ln_scale = 1.0  # LayerNorm Scaling: set where the layers are copied

    def __init__(self, dim):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ff_norm = nn.LayerNorm(dim)
        self.mix = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, x):
        x = x + self.mix(self.norm(x) * self.ln_scale)
        return x + self.ff(self.ff_norm(x) * self.ln_scale)


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        prototype = Layer(dim)
        layers = []
        for _ in range(depth):
            layers.append(deepcopy(prototype))
        for layer_idx, layer in enumerate(layers):
            layer.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.layers = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        return self.norm(self.layers(x))


def build():
    return Model(8, 4), (torch.randn(2, 5, 8),)
