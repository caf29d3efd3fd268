"""Two lists of layers on one residual stream."""

import torch.nn as nn

REASON = "unclear-index"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.ff = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        return x + self.ff(self.norm(x))


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.dense = nn.ModuleList([Block(dim) for _ in range(2)])
        self.sparse = nn.ModuleList([Block(dim) for _ in range(depth)])

    def forward(self, x):
        for layer in self.dense:
            x = layer(x)
        for layer in self.sparse:
            x = layer(x)
        return x
