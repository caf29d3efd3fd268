"""Two stacks, cross-attention, each with its own final norm."""
import torch
import torch.nn as nn

SCALED = r"(?:encoder|decoder)\.layers\.(\d+)\.(norm_\w+)"


class MultiHead(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q = nn.Linear(dim, dim)
        self.kv = nn.Linear(dim, 2 * dim)
        self.o = nn.Linear(dim, dim)

    def forward(self, x, context=None):
        context = x if context is None else context
        k, v = self.kv(context).chunk(2, -1)
        return self.o((self.q(x) @ k.transpose(1, 2)).softmax(-1) @ v)


class EncoderLayer(nn.Module):
    def __init__(self, dim, dropout=0.0, *, layer_idx):
        super().__init__()
        self.attn = MultiHead(dim)
        self.ff = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.norm_attn = nn.LayerNorm(dim)
        self.norm_ff = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        x = x + self.drop(self.attn(self.norm_attn(x) * self.ln_scale))
        return x + self.drop(self.ff(self.norm_ff(x) * self.ln_scale))


class DecoderLayer(nn.Module):
    def __init__(self, dim, dropout=0.0, *, layer_idx):
        super().__init__()
        self.attn = MultiHead(dim)
        self.cross = MultiHead(dim)
        self.ff = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.norm_attn = nn.LayerNorm(dim)
        self.norm_cross = nn.LayerNorm(dim)
        self.norm_ff = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.drop = nn.Dropout(dropout)

    def forward(self, y, memory):
        y = y + self.drop(self.attn(self.norm_attn(y) * self.ln_scale))
        y = y + self.drop(self.cross(self.norm_cross(y) * self.ln_scale, memory))
        return y + self.drop(self.ff(self.norm_ff(y) * self.ln_scale))


class Encoder(nn.Module):
    def __init__(self, dim, n):
        super().__init__()
        self.layers = nn.ModuleList([EncoderLayer(dim, layer_idx=layer_idx) for layer_idx in range(n)])
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class Decoder(nn.Module):
    def __init__(self, dim, n):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(n):
            self.layers.append(DecoderLayer(dim, dropout=0.1 * i * 0, layer_idx=i))
        self.norm = nn.LayerNorm(dim)

    def forward(self, y, memory):
        for i, layer in enumerate(self.layers):
            y = layer(y, memory)
        return self.norm(y)


class Seq2Seq(nn.Module):
    def __init__(self, dim=12):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.encoder = Encoder(dim, 2)
        self.decoder = Decoder(dim, 3)

    def forward(self, source, target):
        return self.decoder(self.embed(target), self.encoder(self.embed(source)))


def build():
    return Seq2Seq(), (torch.randint(20, (2, 6)), torch.randint(20, (2, 4)))
