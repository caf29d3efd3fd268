"""Only the first layers are run, once, forwards, in two ways of which one is taken; the others stay."""

import torch
import torch.nn as nn
from torch.utils.checkpoint import checkpoint

SCALED = r"layers\.(\d+)\.norm[12]"
WARNS = ["Not all layers are run; .*self.layers\\[: ?self.exit_at\\]"]


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
    def __init__(self, dim=8, depth=4, exit_at=3):
        super().__init__()
        self.layers = nn.ModuleList([Block(dim) for _ in range(depth)])
        self.norm = nn.LayerNorm(dim)
        self.exit_at = exit_at
        for layer in reversed(self.layers):
            nn.init.zeros_(layer.ff.bias)

    def forward(self, x):
        if not self.training:
            for i in range(self.exit_at):
                x = self.layers[i](x)
            return self.norm(x)
        for layer in self.layers[: self.exit_at]:
            if x.requires_grad:
                x = checkpoint(layer, x, use_reentrant=False)
            else:
                x = layer(x)
        return self.norm(x)

    def freeze_from_the_top(self, count):
        for layer in list(reversed(self.layers))[:count]:
            layer.requires_grad_(False)


def build():
    return Model(), (torch.randn(2, 5, 8),)
