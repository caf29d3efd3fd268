"""A subclass of nn.TransformerDecoderLayer that passes everything on."""

import torch
import torch.nn as nn
SCALED = r"layers\.(\d+)\.norm[123]"


class Dec(nn.TransformerDecoderLayer):
    def __init__(self, *args, **kwargs):
        kwargs["norm_first"] = True
        super().__init__(*args, **kwargs)

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None):
        x = tgt
        x = x + self._sa_block(self.norm1(x), tgt_mask, None)
        x = x + self._mha_block(self.norm2(x), memory, memory_mask, None)
        x = x + self._ff_block(self.norm3(x))
        return x


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Dec(8, 2, 16, 0.0, batch_first=True) for _ in range(3)])

    def forward(self, x, m):
        for layer in self.layers:
            x = layer(x, m)
        return x


def build():
    return Stack(), (torch.randn(2, 5, 8), torch.randn(2, 4, 8))
