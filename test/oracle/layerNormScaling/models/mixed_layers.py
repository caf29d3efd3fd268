"""Two kinds of layer in one list, one of which knows its index."""

import torch
from torch import nn
SCALED = r"layers\.(\d+)\.(norm|ln)"


class A(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = nn.RMSNorm(d)
        self.f = nn.Linear(d, d)

    def forward(self, x):
        return x + self.f(self.norm(x))


class B(nn.Module):
    def __init__(self, d, layer_idx):
        super().__init__()
        self.ln = nn.LayerNorm(d)
        self.f = nn.Linear(d, d)

    def forward(self, x):
        r = x
        x = self.ln(x)
        x = self.f(x).relu()
        return r + x


class M(nn.Module):
    def __init__(self, d=8, n=4):
        super().__init__()
        self.layers = nn.ModuleList()
        for idx in range(n):
            if idx % 2 == 0:
                self.layers.append(A(d))
            else:
                self.layers.append(B(d, idx))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def build():
    return M(), (torch.randn(2, 5, 8),)
