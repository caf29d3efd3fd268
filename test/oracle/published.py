"""Models that transformers does not have, after their published code: names, shapes and formulas are
theirs, the writing is ours."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Config = dict[str, Any]


def model_of(config: Config) -> Callable[[Config], nn.Module] | None:
    """Which model a config.json is of; None: one of transformers."""
    if "model_args" in config:
        return NanoGpt
    if config.get("model_type") == "qwen":
        return Qwen
    if "model_type" not in config and "block_size" in config:
        return MinGpt
    if is_torch_decoder(config):
        return TorchDecoder
    return None


def is_torch_decoder(config: Config) -> bool:
    return "dim_feedforward" in config


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Causal attention of [batch, tokens, channels], scaled by 1/√(channels of a head)."""

    def split(x: Tensor) -> Tensor:
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    query, key, value = split(query), split(key), split(value)
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    weights = scores.masked_fill(later, -torch.inf).softmax(-1)
    return (weights @ value).transpose(1, 2).flatten(-2)


class PreNormLayer(nn.Module):
    """x + attn(norm(x)), then x + mlp(norm(x)), the norms under the names that the model has."""

    norm_names = ("ln_1", "ln_2")

    def forward(self, x: Tensor) -> Tensor:
        first, second = (getattr(self, name) for name in self.norm_names)
        x = x + self.attn(first(x))
        return x + self.mlp(second(x))


class NanoGpt(nn.Module):
    """github.com/karpathy/nanoGPT, model.py."""

    layers_path = "transformer.h"

    def __init__(self, config: Config) -> None:
        super().__init__()
        args = config["model_args"]
        size, vocabulary = args["n_embd"], args["vocab_size"]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocabulary, size),
                "wpe": nn.Embedding(args["block_size"], size),
                "h": nn.ModuleList([NanoGptLayer(args) for _ in range(args["n_layer"])]),
                "ln_f": nn.LayerNorm(size, bias=args["bias"]),
            }
        )
        self.lm_head = nn.Linear(size, vocabulary, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, ids: Tensor) -> Tensor:
        t = self.transformer
        x = t.wte(ids) + t.wpe(torch.arange(ids.shape[1]))
        for layer in t.h:
            x = layer(x)
        return self.lm_head(t.ln_f(x))


class NanoGptLayer(PreNormLayer):
    def __init__(self, args: Config) -> None:
        super().__init__()
        size, bias = args["n_embd"], args["bias"]
        self.ln_1 = nn.LayerNorm(size, bias=bias)
        self.attn = NanoGptAttention(size, args["n_head"], bias)
        self.ln_2 = nn.LayerNorm(size, bias=bias)
        self.mlp = NanoGptFeedForward(size, bias)


class NanoGptAttention(nn.Module):
    def __init__(self, size: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(size, 3 * size, bias=bias)
        self.c_proj = nn.Linear(size, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(attend(*self.c_attn(x).chunk(3, dim=-1), self.heads))


class NanoGptFeedForward(nn.Module):
    def __init__(self, size: int, bias: bool) -> None:
        super().__init__()
        self.c_fc = nn.Linear(size, 4 * size, bias=bias)
        self.c_proj = nn.Linear(4 * size, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x)))


class MinGpt(nn.Module):
    """github.com/karpathy/minGPT, mingpt/model.py as it was in 2020 and 2021."""

    layers_path = "blocks"

    def __init__(self, config: Config) -> None:
        super().__init__()
        size, vocabulary = config["n_embd"], config["vocab_size"]
        self.tok_emb = nn.Embedding(vocabulary, size)
        self.pos_emb = nn.Parameter(torch.zeros(1, config["block_size"], size))
        self.blocks = nn.ModuleList(
            [MinGptLayer(size, config["n_head"]) for _ in range(config["n_layer"])]
        )
        self.ln_f = nn.LayerNorm(size)
        self.head = nn.Linear(size, vocabulary, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.tok_emb(ids) + self.pos_emb[:, : ids.shape[1]]
        for layer in self.blocks:
            x = layer(x)
        return self.head(self.ln_f(x))


class MinGptLayer(PreNormLayer):
    norm_names = ("ln1", "ln2")

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.ln1 = nn.LayerNorm(size)
        self.attn = MinGptAttention(size, heads)
        self.ln2 = nn.LayerNorm(size)
        self.mlp = nn.Sequential(nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))


class MinGptAttention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        for name in ("query", "key", "value", "proj"):
            self.add_module(name, nn.Linear(size, size))

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(attend(self.query(x), self.key(x), self.value(x), self.heads))


class Qwen(nn.Module):
    """modeling_qwen.py beside the checkpoints of Qwen 7B (huggingface.co/Qwen/Qwen-7B)."""

    layers_path = "transformer.h"

    def __init__(self, config: Config) -> None:
        super().__init__()
        size, vocabulary = config["hidden_size"], config["vocab_size"]
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocabulary, size),
                "h": nn.ModuleList(
                    [QwenLayer(config) for _ in range(config["num_hidden_layers"])]
                ),
                "ln_f": nn.RMSNorm(size, eps=config["layer_norm_epsilon"]),
            }
        )
        self.lm_head = nn.Linear(size, vocabulary, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        t = self.transformer
        x = t.wte(ids)
        for layer in t.h:
            x = layer(x)
        return self.lm_head(t.ln_f(x))


class QwenLayer(PreNormLayer):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, epsilon = config["hidden_size"], config["layer_norm_epsilon"]
        self.ln_1 = nn.RMSNorm(size, eps=epsilon)
        self.attn = QwenAttention(config)
        self.ln_2 = nn.RMSNorm(size, eps=epsilon)
        self.mlp = QwenFeedForward(config)


class QwenAttention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads, self.base = config["num_attention_heads"], config["rotary_emb_base"]
        projected = self.heads * config["kv_channels"]
        self.c_attn = nn.Linear(config["hidden_size"], 3 * projected)
        self.c_proj = nn.Linear(projected, config["hidden_size"], bias=not config["no_bias"])

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.c_attn(x).chunk(3, dim=-1)
        return self.c_proj(attend(self.rotated(query), self.rotated(key), value, self.heads))

    def rotated(self, x: Tensor) -> Tensor:
        """Each head's channels c and c + half turned by the angle of the position."""
        first, second = x.unflatten(-1, (self.heads, 2, -1)).unbind(-2)
        half = first.shape[-1]
        frequencies = self.base ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(x.shape[1])[:, None, None] * frequencies
        cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        turned = (first * cosine - second * sine, second * cosine + first * sine)
        return torch.cat(turned, dim=-1).flatten(-2)


class QwenFeedForward(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, inner = config["hidden_size"], config["intermediate_size"] // 2
        bias = not config["no_bias"]
        self.w1 = nn.Linear(size, inner, bias=bias)
        self.w2 = nn.Linear(size, inner, bias=bias)
        self.c_proj = nn.Linear(inner, size, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(self.w1(x) * F.silu(self.w2(x)))


class TorchDecoder(nn.Module):
    """A language model of nn.TransformerDecoder, which asks for a memory to attend to."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        size = config["d_model"]
        layer = nn.TransformerDecoderLayer(
            size,
            config["nhead"],
            config["dim_feedforward"],
            activation=config["activation"],
            norm_first=config["norm_first"],
            batch_first=True,
        )
        self.memory = config["memory"]
        self.embedding = nn.Embedding(config["vocab_size"], size)
        self.pos_embedding = nn.Embedding(config["max_len"], size)
        norm = nn.LayerNorm(size) if config["norm_first"] else None
        self.decoder = nn.TransformerDecoder(layer, config["num_layers"], norm)
        self.fc_out = nn.Linear(size, config["vocab_size"])

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        x = self.embedding(ids) + self.pos_embedding(torch.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length, dtype=x.dtype)
        memory = torch.zeros_like(x) if self.memory == "zeros" else x
        memory_mask = mask if self.memory == "causal" else None
        return self.fc_out(self.decoder(x, memory, tgt_mask=mask, memory_mask=memory_mask))
