"""The norms are in parts of which each layer has clones, and the layers are clones themselves."""

import copy
import math

import torch
import torch.nn as nn

SCALED = r"(?:encoder|decoder)\.layers\.(\d+)\.sublayer\.\d+\.norm"


def clones(module, N):
    "Produce N identical layers."
    return nn.ModuleList([copy.deepcopy(module) for _ in range(N)])


class SublayerConnection(nn.Module):
    ln_scale = 1.0  # LayerNorm Scaling: set where the layers are copied

    def __init__(self, size, dropout):
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, sublayer):
        return x + self.dropout(sublayer(self.norm(x) * self.ln_scale))


class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.linears = clones(nn.Linear(size, size), 4)

    def forward(self, query, key, value):
        query, key, value = [lin(x) for lin, x in zip(self.linears, (query, key, value))]
        weights = (query @ key.transpose(-2, -1) / math.sqrt(query.size(-1))).softmax(-1)
        return self.linears[-1](weights @ value)


class EncoderLayer(nn.Module):
    def __init__(self, size, self_attn, feed_forward, dropout):
        super().__init__()
        self.self_attn = self_attn
        self.feed_forward = feed_forward
        self.sublayer = clones(SublayerConnection(size, dropout), 2)
        self.size = size

    def forward(self, x):
        x = self.sublayer[0](x, lambda x: self.self_attn(x, x, x))
        return self.sublayer[1](x, self.feed_forward)


class DecoderLayer(nn.Module):
    def __init__(self, size, self_attn, src_attn, feed_forward, dropout):
        super().__init__()
        self.size = size
        self.self_attn = self_attn
        self.src_attn = src_attn
        self.feed_forward = feed_forward
        self.sublayer = clones(SublayerConnection(size, dropout), 3)

    def forward(self, x, memory):
        m = memory
        x = self.sublayer[0](x, lambda x: self.self_attn(x, x, x))
        x = self.sublayer[1](x, lambda x: self.src_attn(x, m, m))
        return self.sublayer[2](x, self.feed_forward)


class Encoder(nn.Module):
    def __init__(self, layer, N):
        super().__init__()
        self.layers = clones(layer, N)
        for layer_idx, block in enumerate(self.layers):
            for module in block.modules():
                if hasattr(module, "ln_scale"):
                    module.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.norm = nn.LayerNorm(layer.size)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Decoder(nn.Module):
    def __init__(self, layer, N):
        super().__init__()
        self.layers = clones(layer, N)
        for layer_idx, block in enumerate(self.layers):
            for module in block.modules():
                if hasattr(module, "ln_scale"):
                    module.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.norm = nn.LayerNorm(layer.size)

    def forward(self, x, memory):
        for layer in self.layers:
            x = layer(x, memory)
        return self.norm(x)


class EncoderDecoder(nn.Module):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, src, tgt):
        return self.decoder(tgt, self.encoder(src))


def make_model(N=3, size=8, dropout=0.0):
    c = copy.deepcopy
    attn = Attention(size)
    ff = nn.Sequential(nn.Linear(size, 16), nn.ReLU(), nn.Linear(16, size))
    return EncoderDecoder(
        Encoder(EncoderLayer(size, c(attn), c(ff), dropout), N),
        Decoder(DecoderLayer(size, c(attn), c(attn), c(ff), dropout), N),
    )


def build():
    return make_model(), (torch.randn(2, 5, 8), torch.randn(2, 4, 8))
