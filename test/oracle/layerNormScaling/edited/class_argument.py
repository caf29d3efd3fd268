"""The class of the layers is a default argument."""

import torch
from torch import nn
from typing import Type
SCALED = r"blocks\.(\d+)\.norm[12]"


class Block(nn.Module):
    def __init__(self, dim: int, drop_path: float = 0., norm_layer: Type[nn.Module] = nn.LayerNorm, *, layer_idx: int) -> None:
        super().__init__()
        self.norm1 = norm_layer(dim)
        self.attn = nn.Linear(dim, dim)
        self.norm2 = norm_layer(dim)
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.mlp = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x) * self.ln_scale)
        x = x + self.mlp(self.norm2(x) * self.ln_scale)
        return x


class ViT(nn.Module):
    def __init__(self, dim=8, depth=3, block_fn: Type[nn.Module] = Block, norm_layer=nn.LayerNorm):
        super().__init__()
        dpr = [0.0, 0.1, 0.2]
        self.blocks = nn.Sequential(*[
            block_fn(
                dim=dim,
                drop_path=dpr[i],
                norm_layer=norm_layer,
                layer_idx=i,
            )
            for i in range(depth)])
        self.norm = norm_layer(dim)

    def forward(self, x):
        return self.norm(self.blocks(x))


def build():
    return ViT(), (torch.randn(2, 5, 8),)
