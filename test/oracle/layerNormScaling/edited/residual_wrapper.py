"""The residual connection wraps a wrapper that normalises."""

import torch
from torch import nn
SCALED = r"layers\.(\d+)\.\d+\.fn\.norm"


class Residual(nn.Module):
    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def forward(self, x, **kwargs):
        return self.fn(x, **kwargs) + x


class PreNorm(nn.Module):
    def __init__(self, dim, fn, layer_idx):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.fn = fn

    def forward(self, x, **kwargs):
        return self.fn(self.norm(x) * self.ln_scale, **kwargs)


class Transformer(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.emb = nn.Embedding(20, dim)
        self.layers = nn.ModuleList([])
        for layer_idx in range(depth):
            self.layers.append(nn.ModuleList([
                Residual(PreNorm(dim, nn.Linear(dim, dim), layer_idx=layer_idx)),
                Residual(PreNorm(dim, nn.Sequential(nn.Linear(dim, dim), nn.ReLU()), layer_idx=layer_idx)),
            ]))

    def forward(self, t):
        x = self.emb(t)
        for (attn, ff) in self.layers:
            x = attn(x)
            x = ff(x)
        return x


def build():
    return Transformer(8, 3), (torch.randint(20, (2, 5)),)
