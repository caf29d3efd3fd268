"""The stack is given a layer, and clones it; the layer is made somewhere else."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

SCALED = r"encoder\.layers\.(\d+)\.norm[12]"


class EncoderLayer(nn.Module):
    def __init__(self, d_model, nhead, dim_feedforward=32):
        super().__init__()
        self.self_attn = nn.MultiheadAttention(d_model, nhead, batch_first=True)
        self.linear1 = nn.Linear(d_model, dim_feedforward)
        self.linear2 = nn.Linear(dim_feedforward, d_model)
        self.norm1 = nn.LayerNorm(d_model)
        self.norm2 = nn.LayerNorm(d_model)

    def forward(self, src, pos=None):
        normed = self.norm1(src)
        query = normed if pos is None else normed + pos
        src = src + self.self_attn(query, query, value=normed)[0]
        hidden = self.linear2(F.relu(self.linear1(self.norm2(src))))
        return src + hidden


class Encoder(nn.Module):
    def __init__(self, encoder_layer, num_layers, norm=None):
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers = num_layers
        self.norm = norm

    def forward(self, src, pos=None):
        output = src
        for layer in self.layers:
            output = layer(output, pos=pos)
        if self.norm is not None:
            output = self.norm(output)
        return output


class Detector(nn.Module):
    def __init__(self, d_model=8, nhead=2, num_encoder_layers=3):
        super().__init__()
        encoder_layer = EncoderLayer(d_model, nhead)
        encoder_norm = nn.LayerNorm(d_model)
        self.encoder = Encoder(encoder_layer, num_encoder_layers, encoder_norm)

    def forward(self, src, pos):
        return self.encoder(src, pos=pos)


def _get_clones(module, N):
    return nn.ModuleList([copy.deepcopy(module) for i in range(N)])


def build():
    return Detector(), (torch.randn(2, 5, 8), torch.randn(2, 5, 8))
