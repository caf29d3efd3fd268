"""nn.TransformerEncoder deep-copies a layer whose forward is written out."""

import torch
import torch.nn as nn
SCALED = r"encoder\.layers\.(\d+)\.norm[12]"


class PreLayer(nn.TransformerEncoderLayer):
    ln_scale = 1.0  # LayerNorm Scaling: set where the layers are copied

    def forward(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        src2 = self.norm1(src) * self.ln_scale
        src2 = self.self_attn(src2, src2, src2, attn_mask=src_mask, key_padding_mask=src_key_padding_mask)[0]
        src = src + self.dropout1(src2)
        src2 = self.norm2(src) * self.ln_scale
        src2 = self.linear2(self.dropout(self.activation(self.linear1(src2))))
        src = src + self.dropout2(src2)
        return src


class M(nn.Module):
    def __init__(self):
        super().__init__()
        layer = PreLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=3, norm=nn.LayerNorm(8))
        for layer_idx, block in enumerate(self.encoder.layers):
            block.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
    def forward(self, x):
        return self.encoder(x)


def build():
    return M(), (torch.randn(2, 5, 8),)
