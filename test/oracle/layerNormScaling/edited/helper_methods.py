"""Norms applied in helper methods, under activation checkpointing, and in a second entry point."""
import torch
import torch.nn as nn
from torch.utils.checkpoint import checkpoint

SCALED = r"blocks\.(\d+)\.(attn_ln|mlp_ln)"


class Block(nn.Module):
    def __init__(self, n_state: int, recompute: bool = False, *, layer_idx: int):
        super().__init__()
        self.recompute = recompute

        self.attn = nn.MultiheadAttention(n_state, 2, batch_first=True)
        self.attn_ln = nn.LayerNorm(n_state)

        self.mlp = nn.Sequential(nn.Linear(n_state, n_state * 4), nn.GELU(), nn.Linear(n_state * 4, n_state))
        self.mlp_ln = nn.LayerNorm(n_state)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def _attend(self, x):
        x = self.attn_ln(x) * self.ln_scale
        return self.attn(x, x, x, need_weights=False)[0]

    def _feed_forward(self, x):
        return self.mlp((self.mlp_ln(x) * self.ln_scale).to(x.dtype))

    def forward(self, x):
        if self.recompute and self.training:
            x = x + checkpoint(self._attend, x, use_reentrant=False)
            x = x + checkpoint(lambda h: self.mlp(self.mlp_ln(h) * self.ln_scale), x, use_reentrant=False)
        else:
            x = x + self._attend(x)
            x = x + self._feed_forward(x)
        return x

    @torch.no_grad()
    def step(self, x):
        return self.forward(x)


class Model(nn.Module):
    def __init__(self, n_state: int = 12, n_layer: int = 3):
        super().__init__()
        self.embed = nn.Embedding(20, n_state)
        self.blocks = nn.ModuleList(
            [Block(n_state, recompute=True, layer_idx=layer_idx) for layer_idx in range(n_layer)]
        )
        self.ln = nn.LayerNorm(n_state)

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return (self.ln(x) @ torch.transpose(self.embed.weight, 0, 1)).float().to(x.dtype)


def build():
    return Model(), (torch.randint(20, (2, 6)),)
