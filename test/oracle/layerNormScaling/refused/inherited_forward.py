"""A subclass of PyTorch's layer that leaves forward to it."""

import torch.nn as nn

REASON = "framework-code"


class Layer(nn.TransformerEncoderLayer):
    def _ff_block(self, x):
        return 0.5 * super()._ff_block(x)


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Layer(dim, 2, norm_first=True) for _ in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
