"""An encoder layer with both placements; which one runs is a flag, here Pre-LN."""
import torch
from torch import Tensor, nn

SCALED = r"encoder\.layers\.(\d+)\.norm[12]"
WARNS = ["[Pp]ost-?(LN|norm)"]


class EncoderLayer(nn.TransformerEncoderLayer):
    def __init__(self, *args, layer_idx, **kwargs):
        super().__init__(*args, **kwargs)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def forward(self, src: Tensor, src_mask=None, src_key_padding_mask=None, is_causal: bool = False) -> Tensor:
        x = src
        if self.norm_first:
            x = x + self._sa_block(self.norm1(x) * self.ln_scale, src_mask, src_key_padding_mask, is_causal=is_causal)
            x = x + self._ff_block(self.norm2(x) * self.ln_scale)
        else:
            x = self.norm1(x + self._sa_block(x, src_mask, src_key_padding_mask, is_causal=is_causal))
            x = self.norm2(x + self._ff_block(x))
        return x


class Stack(nn.Module):
    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        layers = [
            EncoderLayer(width, nhead=2, dim_feedforward=24, dropout=0.0, norm_first=True, batch_first=True, layer_idx=layer_idx)
            for layer_idx in range(depth)
        ]
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(30, 12)
        self.encoder = Stack(3, 12)
        self.head = nn.Linear(12, 5)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.encoder(self.embedding(tokens)).mean(1))


def build():
    return Classifier(), (torch.randint(30, (2, 6)),)
