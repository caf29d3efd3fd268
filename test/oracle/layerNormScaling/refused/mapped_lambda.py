"""Layers are made by a lambda that is mapped over their indices."""

import torch
import torch.nn as nn

REASON = "no-stack"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x)).cumsum(1)
        return x + torch.relu(self.ff(self.norm2(x)))

class Model(nn.Module):
    def __init__(self, dim=8, depth=3):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.layers = nn.ModuleList(map(lambda i: Block(dim), range(depth)))
        self.norm = nn.LayerNorm(dim)

    def forward(self, t):
        x = self.embed(t)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)

