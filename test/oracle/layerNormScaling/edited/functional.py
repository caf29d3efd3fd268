"""Norms without parameters: a helper around F.rms_norm, F.layer_norm with the block's own weights."""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

CALLS = ["rms_norm", "layer_norm"]


# In every block: the attention's input, its queries and keys, then the feed-forward's input. The
# final norm is the last call.
def index_of_call(call, calls):
    layer, within = divmod(call, 4)
    return layer if within in (0, 3) and call < calls - 1 else None


def norm(x: Tensor):
    return F.rms_norm(x, (x.size(-1),))


class CausalSelfAttention(nn.Module):
    def __init__(self, dim: int):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor):
        q, k, v = self.qkv(x).chunk(3, -1)
        q, k = norm(q), norm(k)
        return self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True))


class Block(nn.Module):
    def __init__(self, dim: int, layer_idx: int):
        super().__init__()
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.dim = dim
        self.attn = CausalSelfAttention(dim)
        self.mlp = nn.Linear(dim, dim)
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(norm(x) * self.ln_scale)
        x = x + self.mlp(F.layer_norm(
            x, (self.dim,), weight=self.weight,
        ) * self.ln_scale)
        return x


class Model(nn.Module):
    def __init__(self, dim: int = 12, depth: int = 3):
        super().__init__()
        self.embed = nn.Embedding(20, dim)
        self.blocks = nn.ModuleList([Block(dim, layer_idx=layer_idx) for layer_idx in range(depth)])

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return norm(x)


def build():
    return Model(), (torch.randint(20, (2, 6)),)
