"""Layers in a while loop, run in another; their norms by a factory and a table."""

import torch
import torch.nn as nn

SCALED = r"body\.(\d+)\.norm_(attn|ffn)"


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps) * self.scale


NORMS = {"layer": nn.LayerNorm, "rms": RMSNorm}


def build_norm(cfg):
    return NORMS[cfg["norm"]](cfg["dim"])


class Layer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.norm_attn = build_norm(cfg)
        self.mix = nn.Linear(cfg["dim"], cfg["dim"])
        self.norm_ffn = build_norm(cfg)
        self.ffn = nn.Sequential(
            nn.Linear(cfg["dim"], 2 * cfg["dim"]), nn.ReLU(), nn.Linear(2 * cfg["dim"], cfg["dim"])
        )

    def forward(self, x):
        x = x + self.mix(self.norm_attn(x)).cumsum(1)
        x = x + self.ffn(self.norm_ffn(x))
        return x


class Model(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.embed = nn.Embedding(20, cfg["dim"])
        self.body = nn.ModuleList()
        while len(self.body) < cfg["depth"]:
            self.body.append(Layer(cfg))
        self.norm_out = build_norm(cfg)

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.body:
            x = layer(x)
        return self.norm_out(x)


def build():
    return Model({"norm": "rms", "dim": 8, "depth": 3}), (torch.randint(20, (2, 5)),)
