"""Where the norms stand is told by a name; a while loop with a counter makes the layers."""

import torch
import torch.nn as nn

WARNS = ["Post-LN"]
SCALED = r"layers\.(\d+)\.norm[12]"


class Block(nn.Module):
    def __init__(self, dim, norm_position="pre", *, layer_idx):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = nn.Linear(dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.ff = nn.Linear(dim, dim)
        self.norm_position = norm_position

    def forward(self, x):
        if self.norm_position == "pre":
            x = x + self.attn(self.norm1(x) * self.ln_scale).cumsum(1)
            x = x + torch.relu(self.ff(self.norm2(x) * self.ln_scale))
        elif self.norm_position == "post":
            x = self.norm1(x + self.attn(x).cumsum(1))
            x = self.norm2(x + torch.relu(self.ff(x)))
        return x

class Model(nn.Module):
    def __init__(self, dim=8, depth=3):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.layers = nn.ModuleList()
        i = 0
        while i < depth:
            self.layers.append(Block(dim, layer_idx=len(self.layers)))
            i += 1
        self.norm = nn.LayerNorm(dim)

    def forward(self, t):
        x = self.embed(t)
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


def build():
    return Model(), (torch.randint(20, (2, 5)),)
