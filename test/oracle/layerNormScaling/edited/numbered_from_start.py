"""Layers numbered from one by a variable, in a comprehension and in a loop that appends."""

import torch
import torch.nn as nn

SCALED = r"(?:left|right)\.(\d+)\.norm"


class Block(nn.Module):
    def __init__(self, width, layer_number):
        super().__init__()
        self.layer_number = layer_number
        self.norm = nn.LayerNorm(width)
        self.ln_scale = layer_number ** -0.5  # LayerNorm Scaling
        self.ff = nn.Linear(width, width)

    def forward(self, x):
        return x + self.ff(self.norm(x) * self.ln_scale)


class Model(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        start = 1
        self.left = nn.ModuleList([Block(width, i + start) for i in range(depth)])
        first = 1
        self.right = nn.ModuleList()
        for i in range(depth):
            self.right.append(Block(width, first + i))

    def forward(self, x):
        y = x
        for block in self.left:
            x = block(x)
        for block in self.right:
            y = block(y)
        return torch.cat([x, y], -1)


def build():
    return Model(8, 3), (torch.randn(2, 5, 8),)
