"""Each sublayer normalises its own input; the layer only adds."""
import torch
from torch import nn

SCALED = r"layers\.(\d+)\.(attention|feed_forward)\.(pre_norm)"


class RMSNorm(nn.Module):
    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.weight


class Attention(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.pre_norm = RMSNorm(dim)
        self.q_norm = RMSNorm(dim)
        self.k_norm = RMSNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        x = self.pre_norm(x)
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, k = self.q_norm(q), self.k_norm(k)
        return self.out((q @ k.mT).softmax(-1) @ v)


class FeedForward(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.pre_norm = RMSNorm(dim)
        self.up = nn.Linear(dim, 3 * dim)
        self.inner_norm = nn.LayerNorm(3 * dim)
        self.down = nn.Linear(3 * dim, dim)

    def forward(self, x):
        hidden = self.inner_norm(self.up(self.pre_norm(x)).relu())
        return self.down(hidden)


class Layer(nn.Module):
    def __init__(self, dim: int, dropout: float = 0.0):
        super().__init__()
        self.attention = Attention(dim)
        self.feed_forward = FeedForward(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        x = x + self.dropout(self.attention(x))
        x = x + self.dropout(self.feed_forward(x))
        return x


class Model(nn.Module):
    def __init__(self, dim: int = 12, depth: int = 3):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.layers = nn.ModuleList([Layer(dim, dropout=0.0) for _ in range(depth)])
        self.final_norm = RMSNorm(dim)

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.final_norm(x)


def build():
    return Model(), (torch.randint(20, (2, 6)),)
