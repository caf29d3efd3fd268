"""A decoder whose layers go on with the encoder's numbers, and a list that starts from a setting."""

import torch
import torch.nn as nn

SCALED = r"(?:encoder|decoder|vision)\.(\d+)\.norm"
WARNS = ["layer_idx of Block starts from config.num_encoder_layers, which is not known here[^]*depth of Patch starts from config.extra"]


class Block(nn.Module):
    def __init__(self, width, layer_idx, layer_index):
        super().__init__()
        self.layer_idx = layer_idx
        self.norm = nn.LayerNorm(width)
        self.ln_scale = (layer_index + 1) ** -0.5  # LayerNorm Scaling
        self.ff = nn.Linear(width, width)

    def forward(self, x):
        return x + self.ff(self.norm(x) * self.ln_scale)


class Patch(nn.Module):
    def __init__(self, width, depth, layer_idx):
        super().__init__()
        self.keep = 1 / depth
        self.norm = nn.LayerNorm(width)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.ff = nn.Linear(width, width)

    def forward(self, x):
        return x + self.keep * self.ff(self.norm(x) * self.ln_scale)


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config.width
        self.encoder = nn.ModuleList([Block(width, i, layer_index=i) for i in range(config.num_encoder_layers)])
        self.decoder = nn.ModuleList(
            [Block(width, layer_idx=i + config.num_encoder_layers, layer_index=i) for i in range(config.num_decoder_layers)]
        )
        self.vision = nn.ModuleList([Patch(width, depth=i + config.extra, layer_idx=i) for i in range(2)])

    def forward(self, x, y, z):
        for block in self.encoder:
            x = block(x)
        for block in self.decoder:
            y = block(y)
        for patch in self.vision:
            z = patch(z)
        return torch.cat([x, y, z], -1)


class Config:
    width, num_encoder_layers, num_decoder_layers, extra = 8, 3, 4, 2


def build():
    return Model(Config()), tuple(torch.randn(3, 2, 5, 8))
