"""Cross-attention and its norm may be absent; the same layer in two stacks."""

import torch
from torch import nn, Tensor
from typing import Optional, Iterable
SCALED = r"(?:enc|dec)\.blocks\.(\d+)\.(attn_ln|cross_attn_ln|mlp_ln)"


class LayerNorm(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.double()).type(x.dtype)


class MHA(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.q = nn.Linear(n, n)

    def forward(self, x, xa: Optional[Tensor] = None, mask=None, kv_cache=None):
        m = x if xa is None else xa
        return (self.q(x) @ m.mT).softmax(-1) @ m, None


class CrossBlock(nn.Module):
    def __init__(self, n_state: int, n_head: int, cross_attention: bool = False):
        super().__init__()

        self.attn = MHA(n_state)
        self.attn_ln = LayerNorm(n_state)

        self.cross_attn = (
            MHA(n_state) if cross_attention else None
        )
        self.cross_attn_ln = LayerNorm(n_state) if cross_attention else None

        n_mlp = n_state * 4
        self.mlp = nn.Sequential(
            nn.Linear(n_state, n_mlp), nn.GELU(), nn.Linear(n_mlp, n_state)
        )
        self.mlp_ln = LayerNorm(n_state)


    def forward(
        self,
        x: Tensor,
        xa: Optional[Tensor] = None,
        mask: Optional[Tensor] = None,
        kv_cache: Optional[dict] = None,
    ):
        x = x + self.attn(self.attn_ln(x), mask=mask, kv_cache=kv_cache)[0]
        if self.cross_attn:
            x = x + self.cross_attn(self.cross_attn_ln(x), xa, kv_cache=kv_cache)[0]
        x = x + self.mlp(self.mlp_ln(x))
        return x


class AudioEncoder(nn.Module):
    def __init__(self, n_state: int, n_layer: int):
        super().__init__()
        self.blocks: Iterable[CrossBlock] = nn.ModuleList(
            [CrossBlock(n_state, 2) for _ in range(n_layer)]
        )
        self.ln_post = LayerNorm(n_state)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)


class TextDecoder(nn.Module):
    def __init__(self, n_state: int, n_layer: int):
        super().__init__()
        self.blocks: Iterable[CrossBlock] = nn.ModuleList(
            [
                CrossBlock(n_state, 2, cross_attention=True)
                for _ in range(n_layer)
            ]
        )
        self.ln = LayerNorm(n_state)

    def forward(self, x, xa):
        for block in self.blocks:
            x = block(x, xa, mask=None)
        return self.ln(x)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = AudioEncoder(8, 2); self.dec = TextDecoder(8, 3)

    def forward(self, a, b):
        return self.dec(b, self.enc(a))


def build():
    return Model(), (torch.randn(2, 5, 8), torch.randn(2, 3, 8))
