import torch
import torch.nn as nn

from .layers import TransformerBlock as Block


class Model(nn.Module):
    def __init__(self, dim=12, depth=3):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.stack = nn.Sequential(*(Block(dim, layer_idx=layer_idx) for layer_idx in range(depth)))
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens):
        return self.norm(self.stack(self.embed(tokens)))


def build():
    return Model(), (torch.randint(20, (2, 6)),)
