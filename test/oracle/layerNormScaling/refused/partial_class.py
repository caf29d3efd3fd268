"""Layers are made by a partial of their class."""

from functools import partial

import torch
import torch.nn as nn

REASON = "unclear-construction"


class Layer(nn.Module):
    def __init__(self, width, dropout):
        super().__init__()
        self.pre_attention = nn.LayerNorm(width)
        self.attention = nn.Linear(width, width)
        self.pre_mlp = nn.LayerNorm(width)
        self.mlp = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = x + self.dropout(self.attention(self.pre_attention(x))).cumsum(1)
        return x + self.dropout(torch.relu(self.mlp(self.pre_mlp(x))))


class Model(nn.Module):
    def __init__(self, width=8, depth=3):
        super().__init__()
        make = partial(Layer, width, dropout=0.0)
        self.layers = nn.ModuleList([make() for _ in range(depth)])
        self.last = nn.LayerNorm(width)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.last(x)

