"""Norms at the head of a Sequential; attention with a norm of its own; a final norm after the loop."""

import torch
from torch import nn
SCALED = r"layers\.(\d+)\.(0\.norm|1\.net\.0)"


class FeedForward(nn.Module):
    def __init__(self, dim, hidden_dim, dropout = 0., *, layer_idx):
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(dim),
            nn.Linear(dim, hidden_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, dim),
            nn.Dropout(dropout)
        )
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def forward(self, x):
        return self.net[1:](self.net[0](x) * self.ln_scale)


class Attention(nn.Module):
    def __init__(self, dim, heads = 8, dim_head = 64, dropout = 0., *, layer_idx):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.to_qkv = nn.Linear(dim, dim * 3, bias = False)

    def forward(self, x):
        x = self.norm(x) * self.ln_scale
        qkv = self.to_qkv(x).chunk(3, dim = -1)
        q, k, v = map(lambda t: t.unsqueeze(1), qkv)
        return ((q @ k.mT).softmax(-1) @ v).squeeze(1)


class Transformer(nn.Module):
    def __init__(self, dim, depth, heads, dim_head, mlp_dim, dropout = 0.):
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.layers = nn.ModuleList([])
        for layer_idx in range(depth):
            self.layers.append(nn.ModuleList([
                Attention(dim, heads = heads, dim_head = dim_head, dropout = dropout, layer_idx=layer_idx),
                FeedForward(dim, mlp_dim, dropout = dropout, layer_idx=layer_idx)
            ]))

    def forward(self, x):
        for attn, ff in self.layers:
            x = attn(x) + x
            x = ff(x) + x
        return self.norm(x)


def build():
    return Transformer(8, 3, 2, 4, 16), (torch.randn(2, 5, 8),)
