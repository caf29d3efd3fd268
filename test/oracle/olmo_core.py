"""OLMo-core's transformer with LayerNorm Scaling, under its tensor names.

Written from what github.com/allenai/OLMo-core computes in src/olmo_core/nn/transformer/block.py
(`LayerNormScaledTransformerBlock`), nn/attention, nn/feed_forward.py, nn/rope.py and nn/lm_head.py,
which needs more than the oracle has installed.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Config = dict[str, Any]


class RMSNorm(nn.Module):
    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps)


class Attention(nn.Module):
    def __init__(self, width: int, config: Config) -> None:
        super().__init__()
        self.heads = config["n_heads"]
        self.key_value_heads = config.get("n_kv_heads") or self.heads
        self.theta = config["rope"]["theta"]
        self.clip = config.get("clip_qkv")
        keys = width // self.heads * self.key_value_heads
        bias = config.get("bias", True)
        self.w_q = nn.Linear(width, width, bias=bias)
        self.w_k = nn.Linear(width, keys, bias=bias)
        self.w_v = nn.Linear(width, keys, bias=bias)
        self.w_out = nn.Linear(width, width, bias=bias)
        if config.get("qk_norm"):
            self.q_norm = RMSNorm(width, config["qk_norm"]["eps"])
            self.k_norm = RMSNorm(keys, config["qk_norm"]["eps"])
        else:
            self.q_norm = self.k_norm = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        size = width // self.heads
        q, k, v = self.w_q(x), self.w_k(x), self.w_v(x)
        if self.clip is not None:
            q, k, v = (part.clamp(-self.clip, self.clip) for part in (q, k, v))
        q, k = self.q_norm(q), self.k_norm(k)
        q = q.view(batch, tokens, self.heads, size).transpose(1, 2)
        k, v = (p.view(batch, tokens, self.key_value_heads, size).transpose(1, 2) for p in (k, v))
        q, k = self.rotated(q), self.rotated(k)
        groups = self.heads // self.key_value_heads
        k, v = (part.repeat_interleave(groups, dim=1) for part in (k, v))
        mask = torch.ones(tokens, tokens, dtype=torch.bool).tril()
        scores = (q @ k.transpose(-1, -2) / math.sqrt(size)).masked_fill(~mask, -torch.inf)
        mixed = scores.softmax(-1) @ v
        return self.w_out(mixed.transpose(1, 2).reshape(batch, tokens, width))

    def rotated(self, x: Tensor) -> Tensor:
        tokens, size = x.shape[-2:]
        frequencies = self.theta ** (-torch.arange(0, size, 2, dtype=x.dtype) / size)
        angles = torch.outer(torch.arange(tokens, dtype=x.dtype), frequencies)
        cosine, sine = angles.cos(), angles.sin()
        first, second = x.chunk(2, dim=-1)
        return torch.cat((first * cosine - second * sine, second * cosine + first * sine), dim=-1)


class FeedForward(nn.Module):
    def __init__(self, width: int, config: Config) -> None:
        super().__init__()
        size, bias = config["hidden_size"], config.get("bias", True)
        self.w1 = nn.Linear(width, size, bias=bias)
        self.w2 = nn.Linear(size, width, bias=bias)
        self.w3 = nn.Linear(width, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class ScaledBlock(nn.Module):
    def __init__(self, index: int, width: int, config: Config) -> None:
        super().__init__()
        eps = config["layer_norm"]["eps"]
        self.attention = Attention(width, config["attention"])
        self.attention_norm = RMSNorm(width, eps)
        self.feed_forward = FeedForward(width, config["feed_forward"])
        self.feed_forward_norm = RMSNorm(width, eps)
        self.register_buffer("ln_scale", torch.tensor(ln_scale(index)))

    def forward(self, x: Tensor) -> Tensor:
        h = x + self.attention(self.attention_norm(x) * self.ln_scale)
        return h + self.feed_forward(self.feed_forward_norm(h) * self.ln_scale)


class Head(nn.Module):
    def __init__(self, width: int, vocabulary: int, config: Config) -> None:
        super().__init__()
        self.norm = RMSNorm(width, config["layer_norm"]["eps"])
        self.w_out = nn.Linear(width, vocabulary, bias=config.get("bias", True))

    def forward(self, x: Tensor) -> Tensor:
        return self.w_out(self.norm(x))


class Transformer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        width, vocabulary = config["d_model"], config["vocab_size"]
        self.embeddings = nn.Embedding(vocabulary, width)
        self.blocks = nn.ModuleDict(
            {str(i): ScaledBlock(i, width, config["block"]) for i in range(config["n_layers"])}
        )
        self.lm_head = Head(width, vocabulary, config["lm_head"])

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embeddings(ids)
        for block in self.blocks.values():
            x = block(x)
        return self.lm_head(x)


def is_config(config: Config) -> bool:
    return "model" in config and "block" in config["model"]


def ln_scale(index: int) -> float:
    return 1 / math.sqrt(index + 1)
