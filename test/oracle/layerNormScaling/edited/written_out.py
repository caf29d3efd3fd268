"""Blocks written out one by one, the final norm among them."""
import torch
from torch import nn

SCALED = r"blocks\.(\d+)\.(norm_attention|norm_feed_forward)"


class Block(nn.Module):
    def __init__(self, width, heads=2, *, layer_idx):
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.norm_feed_forward = nn.LayerNorm(width)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.feed_forward = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        y = self.norm_attention(x) * self.ln_scale
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.feed_forward(self.norm_feed_forward(x) * self.ln_scale)


class Model(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.embed = nn.Embedding(20, width)
        self.blocks = nn.Sequential(
            Block(width, layer_idx=0),
            Block(width, heads=3, layer_idx=1),  # one that differs
            Block(
                width,
                heads=4,  # a comment that stays
                layer_idx=2,
            ),
            nn.LayerNorm(width),
        )

    def forward(self, tokens):
        return self.blocks(self.embed(tokens))


def build():
    return Model(), (torch.randint(20, (2, 6)),)
