"""Flax."""

REASON = "framework-code"

import flax.linen as nn


class Block(nn.Module):
    dim: int
    @nn.compact
    def __call__(self, x):
        x = x + nn.Dense(self.dim)(nn.LayerNorm()(x))
        return x


class M(nn.Module):
    def setup(self):
        self.layers = [Block(8) for _ in range(3)]
    def __call__(self, x):
        for l in self.layers:
            x = l(x)
        return x
