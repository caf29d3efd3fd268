"""Two indices share a layer."""

import torch.nn as nn

REASON = "unclear-index"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.attn = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        x = x + self.ff(self.norm2(x))
        return x


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim) for _ in range(depth)])
        self.depth = depth
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for i in range(2 * self.depth):
            x = self.layers[i // 2](x)
        return self.norm(x)
