"""A subclass of nn.TransformerDecoderLayer that passes everything on."""

import torch
import torch.nn as nn
SCALED = r"layers\.(\d+)\.norm[123]"


class Dec(nn.TransformerDecoderLayer):
    def __init__(self, *args, layer_idx, **kwargs):
        kwargs["norm_first"] = True
        super().__init__(*args, **kwargs)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling

    def forward(self, tgt, memory, tgt_mask=None, memory_mask=None):
        x = tgt
        x = x + self._sa_block(self.norm1(x) * self.ln_scale, tgt_mask, None)
        x = x + self._mha_block(self.norm2(x) * self.ln_scale, memory, memory_mask, None)
        x = x + self._ff_block(self.norm3(x) * self.ln_scale)
        return x


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([Dec(8, 2, 16, 0.0, batch_first=True, layer_idx=layer_idx) for layer_idx in range(3)])

    def forward(self, x, m):
        for layer in self.layers:
            x = layer(x, m)
        return x


def build():
    return Stack(), (torch.randn(2, 5, 8), torch.randn(2, 4, 8))
