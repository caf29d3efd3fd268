"""Two kinds of layer in one list, one of which knows its index."""

import torch
from torch import nn
SCALED = r"layers\.(\d+)\.(norm|ln)"


class A(nn.Module):
    def __init__(self, d, layer_idx):
        super().__init__()
        self.norm = nn.RMSNorm(d)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.f = nn.Linear(d, d)

    def forward(self, x):
        return x + self.f(self.norm(x) * self.ln_scale)


class B(nn.Module):
    def __init__(self, d, layer_idx):
        super().__init__()
        self.ln = nn.LayerNorm(d)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.f = nn.Linear(d, d)

    def forward(self, x):
        r = x
        x = self.ln(x) * self.ln_scale
        x = self.f(x).relu()
        return r + x


class M(nn.Module):
    def __init__(self, d=8, n=4):
        super().__init__()
        self.layers = nn.ModuleList()
        for idx in range(n):
            if idx % 2 == 0:
                self.layers.append(A(d, layer_idx=idx))
            else:
                self.layers.append(B(d, idx))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def build():
    return M(), (torch.randn(2, 5, 8),)
