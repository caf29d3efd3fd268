"""Something else reads the residual streams for the layer; its norm is not what is to be scaled."""

import torch.nn as nn
import torch.nn.functional as F

REASON = "unclear-norm"


class HyperConnection(nn.Module):
    def __init__(self, dim, streams):
        super().__init__()
        self.input_norm = nn.LayerNorm(dim)
        self.mix = nn.Linear(dim, streams)

    def forward(self, streams):
        weights = F.softmax(self.mix(self.input_norm(streams)), -1)
        return F.linear(weights, streams)


class Layer(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.connection = HyperConnection(dim, 2)
        self.norm = nn.LayerNorm(dim)
        self.ff = nn.Linear(dim, dim)

    def forward(self, streams):
        return streams + self.ff(self.norm(self.connection(streams)))


class Model(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList([Layer(dim) for _ in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x
