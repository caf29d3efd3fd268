"""A subclass of nn.TransformerEncoderLayer that writes its own forward over the inherited norms."""
import torch
from torch import nn
from torch.nn import TransformerEncoderLayer

SCALED = r"layers\.(\d+)\.norm[12]"


class PreNormEncoderLayer(TransformerEncoderLayer):
    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 32, dropout: float = 0.0):
        super().__init__(
            d_model,
            nhead,
            dim_feedforward,
            dropout,
            batch_first=True,
            norm_first=True,
        )

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        x = src
        x = x + self._sa_block(self.norm1(x), src_mask, src_key_padding_mask)
        x = x + self._ff_block(self.norm2(x))
        return x


class Encoder(nn.Module):
    def __init__(self, d_model=16, nhead=2, num_layers=3):
        super().__init__()
        self.embed = nn.Embedding(30, d_model)
        self.layers = nn.ModuleList(
            PreNormEncoderLayer(d_model, nhead) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(d_model)

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def build():
    return Encoder(), (torch.randint(30, (2, 6)),)
