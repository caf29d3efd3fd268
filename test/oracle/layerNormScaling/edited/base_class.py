"""Norms and forward in a base class; the stack is of subclasses, one with a constructor, one without."""
import torch
from torch import nn

SCALED = r"\w+\.(?:local|far)\.(\d+)\.(norm1|norm2)"


class BaseLayer(nn.Module):
    def __init__(self, dim, window=None, *, layer_idx):
        super().__init__()
        self.window = window
        self.norm1 = nn.LayerNorm(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.ff = nn.Linear(dim, dim)
        self.mixer = self.make_mixer(dim)

    def make_mixer(self, dim):
        raise NotImplementedError

    def mix(self, x):
        raise NotImplementedError

    def forward(self, x):
        x = x + self.mix(self.norm1(x) * self.ln_scale)
        x = x + self.ff(self.norm2(x) * self.ln_scale)
        return x


class LocalLayer(BaseLayer):
    def __init__(self, dim, layer_idx):
        super().__init__(dim, window=4, layer_idx=layer_idx)
        self.gain = nn.Parameter(torch.ones(dim))

    def make_mixer(self, dim):
        return nn.Linear(dim, dim)

    def mix(self, x):
        return self.mixer(x) * self.gain


class FarLayer(BaseLayer):
    def make_mixer(self, dim):
        return nn.MultiheadAttention(dim, 2, batch_first=True)

    def mix(self, x):
        return self.mixer(x, x, x)[0]


class Stack(nn.Module):
    def __init__(self, dim=12, depth=3):
        super().__init__()
        self.local = nn.ModuleList([LocalLayer(dim, layer_idx=layer_idx) for layer_idx in range(depth)])

    def forward(self, x):
        for layer in self.local:
            x = layer(x)
        return x


class FarStack(nn.Module):
    def __init__(self, dim=12, depth=2):
        super().__init__()
        self.far = nn.ModuleList()
        for layer_idx in range(depth):
            self.far += [FarLayer(dim, layer_idx=layer_idx)]

    def forward(self, x):
        for layer in self.far:
            x = layer(x)
        return x


class Model(nn.Module):
    def __init__(self, dim=12):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.near_stack = Stack(dim)
        self.far_stack = FarStack(dim)
        self.norm = nn.LayerNorm(dim)

    def forward(self, tokens):
        x = self.embed(tokens)
        return self.norm(self.near_stack(x) * 0.5 + self.far_stack(x))


def build():
    return Model(), (torch.randint(20, (2, 6)),)
