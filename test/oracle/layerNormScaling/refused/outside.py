"""The loop over layers applies their norms."""

import torch.nn as nn

REASON = "unclear-norm"


class Block(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.attn = nn.Linear(dim, dim)
        self.ff = nn.Linear(dim, dim)
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x):
        return x + self.ff(self.norm2(x))

    def attend(self, x):
        return self.attn(x)


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim) for _ in range(depth)])

    def features(self, x):
        for block in self.layers:
            x = x + block.attend(block.norm1(x))
            x = block(x)
        return x

    def more(self):
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)
