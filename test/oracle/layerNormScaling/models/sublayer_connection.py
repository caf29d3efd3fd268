"""The residual connection is a module that takes the sublayer as a lambda."""
import torch
import torch.nn as nn

SCALED = r"layers\.(\d+)\.sublayer\.\d+\.norm"


class LayerNorm(nn.Module):
    def __init__(self, features, eps=1e-6):
        super().__init__()
        self.a_2 = nn.Parameter(torch.ones(features))
        self.b_2 = nn.Parameter(torch.zeros(features))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        std = x.std(-1, keepdim=True)
        return self.a_2 * (x - mean) / (std + self.eps) + self.b_2


class SublayerConnection(nn.Module):
    def __init__(self, size, dropout):
        super().__init__()
        self.norm = LayerNorm(size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, sublayer):
        "Apply residual connection to any sublayer with the same size."
        return x + self.dropout(sublayer(self.norm(x)))


class EncoderLayer(nn.Module):
    def __init__(self, size, self_attn, feed_forward, dropout):
        super().__init__()
        self.self_attn = self_attn
        self.feed_forward = feed_forward
        self.sublayer = nn.ModuleList([SublayerConnection(size, dropout) for _ in range(2)])
        self.size = size

    def forward(self, x, mask):
        x = self.sublayer[0](x, lambda x: self.self_attn(x, x, x, attn_mask=mask)[0])
        return self.sublayer[1](x, self.feed_forward)


class Encoder(nn.Module):
    def __init__(self, size, N):
        super().__init__()
        self.embed = nn.Embedding(20, size)
        self.layers = nn.ModuleList([
            EncoderLayer(size, nn.MultiheadAttention(size, 2, batch_first=True), nn.Linear(size, size), 0.0)
            for _ in range(N)
        ])
        self.norm = LayerNorm(size)

    def forward(self, tokens, mask=None):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)


def build():
    return Encoder(12, 3), (torch.randint(20, (2, 6)),)
