"""Layers of two kinds that share a base class, over kinds zipped with rates, run with enumerate."""

import torch
import torch.nn as nn

SCALED = r"layers\.(\d+)\.(norm_mix|norm_mlp)"


class Residual(nn.Module):
    def __init__(self, dim, rate, layer_idx):
        super().__init__()
        self.norm_mix = nn.LayerNorm(dim)
        self.norm_mlp = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.mlp = nn.Linear(dim, dim)
        self.rate = rate

    def mix(self, x):
        raise NotImplementedError

    def forward(self, x):
        x = x + self.mix(self.norm_mix(x) * self.ln_scale)
        return x + torch.relu(self.mlp(self.norm_mlp(x) * self.ln_scale)) * (1 - self.rate)


class Attention(Residual):
    def __init__(self, dim, rate, layer_idx):
        super().__init__(dim, rate, layer_idx=layer_idx)
        self.qkv = nn.Linear(dim, 3 * dim)

    def mix(self, x):
        q, k, v = self.qkv(x).chunk(3, -1)
        return (q @ k.mT).softmax(-1) @ v


class Convolution(Residual):
    def __init__(self, dim, rate, layer_idx):
        super().__init__(dim, rate, layer_idx=layer_idx)
        self.weight = nn.Parameter(torch.randn(dim))

    def mix(self, x):
        return (x * self.weight).cumsum(1)


class Hybrid(nn.Module):
    def __init__(self, dim, kinds, rates):
        super().__init__()
        self.layers = nn.ModuleList()
        for layer_idx, (kind, rate) in enumerate(zip(kinds, rates)):
            if kind == "attention":
                self.layers.append(Attention(dim, rate, layer_idx=layer_idx))
            else:
                self.layers.append(Convolution(dim, rate=rate, layer_idx=layer_idx))
        self.norm_f = nn.LayerNorm(dim)

    def forward(self, x):
        for i, layer in enumerate(self.layers):
            x = layer(x)
        return self.norm_f(x)


def build():
    return Hybrid(8, ["attention", "conv", "attention"], [0.0, 0.1, 0.2]), (torch.randn(2, 5, 8),)
