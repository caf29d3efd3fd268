"""modded-nanogpt's: norms without weights by a function, and the embedding mixed into the stream."""

import torch
import torch.nn as nn
import torch.nn.functional as F

CALLS = ["rms_norm"]


def index_of_call(call, calls):
    # embedding; attention, its queries and keys, feed-forward, of each layer; the end
    if call == 0 or call == calls - 1:
        return None
    layer, place = divmod(call - 1, 4)
    return layer if place in (0, 3) else None


def norm(x):
    return F.rms_norm(x, (x.size(-1),))


class CastedLinear(nn.Linear):
    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype))


class CausalSelfAttention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.c_q = CastedLinear(dim, dim, bias=False)
        self.c_k = CastedLinear(dim, dim, bias=False)
        self.c_v = CastedLinear(dim, dim, bias=False)
        self.c_proj = CastedLinear(dim, dim, bias=False)
        self.lamb = nn.Parameter(torch.tensor(0.5))

    def forward(self, x, v1):
        q, k, v = self.c_q(x), self.c_k(x), self.c_v(x)
        if v1 is None:
            v1 = v
        v = (1 - self.lamb) * v + self.lamb * v1.view_as(v)
        q, k = norm(q), norm(k)
        return self.c_proj(F.scaled_dot_product_attention(q, k, v, is_causal=True)), v1


class MLP(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.c_fc = CastedLinear(dim, 4 * dim, bias=False)
        self.c_proj = CastedLinear(4 * dim, dim, bias=False)

    def forward(self, x):
        return self.c_proj(F.relu(self.c_fc(x)).square())


class Block(nn.Module):
    def __init__(self, config, layer_idx):
        super().__init__()
        self.ln_scale = (layer_idx + 1) ** -0.5  # LayerNorm Scaling
        self.attn = CausalSelfAttention(config["dim"])
        self.mlp = MLP(config["dim"])
        self.lambdas = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, x, v1, x0):
        x = self.lambdas[0] * x + self.lambdas[1] * x0
        x1, v1 = self.attn(norm(x) * self.ln_scale, v1)
        x = x + x1
        x = x + self.mlp(norm(x) * self.ln_scale)
        return x, v1


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(20, config["dim"]),
            h=nn.ModuleList([Block(config, layer_idx=layer_idx) for layer_idx in range(config["n_layer"])]),
        ))
        self.lm_head = CastedLinear(config["dim"], 20, bias=False)

    def forward(self, idx):
        x = self.transformer.wte(idx)
        x = norm(x)
        x0 = x
        v1 = None
        for block in self.transformer.h:
            x, v1 = block(x, v1, x0)
        x = norm(x)
        return 30 * torch.tanh(self.lm_head(x) / 30)


def build():
    return GPT({"dim": 8, "n_layer": 3}), (torch.randint(20, (2, 5)),)
