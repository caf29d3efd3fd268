"""Language models as people write them by hand, each trained until its readings can be told apart.

Every model is saved as training scripts save it, a state dict without a config, beside `truth.json` with
the settings that its code has, or with the words that refuse it where it is trained too little to tell. `run.mjs --handwritten` then asks Fathom to tell them from the weights.
"""

import argparse
import inspect
import json
import math
import pathlib
import sysconfig
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CONTEXT, HIDDEN, HEADS, LAYERS = 64, 64, 4, 3
HEAD_SIZE = HIDDEN // HEADS
TEXT_CHARACTERS, HELD_OUT_CHARACTERS = 1_000_000, 40_000


def attended(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Causal attention of [batch, sequence, heads, size], its heads joined again; the bias is masked."""
    groups = query.shape[2] // key.shape[2]
    key, value = (x.repeat_interleave(groups, 2) for x in (key, value))
    heads_first = (x.transpose(1, 2) for x in (query, key, value))
    mixed = F.scaled_dot_product_attention(*heads_first, attn_mask=bias, is_causal=bias is None)
    return mixed.transpose(1, 2).flatten(2)


def split(x: Tensor) -> Tensor:
    return x.unflatten(-1, (-1, HEAD_SIZE))


# ---- A module for each head, as lectures have it ----


class OneHead(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.key = nn.Linear(HIDDEN, HEAD_SIZE, bias=False)
        self.query = nn.Linear(HIDDEN, HEAD_SIZE, bias=False)
        self.value = nn.Linear(HIDDEN, HEAD_SIZE, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(CONTEXT, CONTEXT)))
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[1]
        scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.scale
        scores = scores.masked_fill(self.tril[:length, :length] == 0, float("-inf"))
        return F.softmax(scores, dim=-1) @ self.value(x)


class ManyHeads(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.heads = nn.ModuleList(OneHead(scale) for _ in range(HEADS))
        self.proj = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(torch.cat([head(x) for head in self.heads], dim=-1))


class LectureBlock(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.sa = ManyHeads(scale)
        self.ffwd = nn.Sequential(
            nn.Linear(HIDDEN, 4 * HIDDEN), nn.ReLU(), nn.Linear(4 * HIDDEN, HIDDEN)
        )
        self.ln1, self.ln2 = nn.LayerNorm(HIDDEN), nn.LayerNorm(HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


class Lecture(nn.Module):
    def __init__(self, vocabulary: int, scale: float = HEAD_SIZE**-0.5) -> None:
        super().__init__()
        self.token_embedding_table = nn.Embedding(vocabulary, HIDDEN)
        self.position_embedding_table = nn.Embedding(CONTEXT, HIDDEN)
        self.blocks = nn.Sequential(*(LectureBlock(scale) for _ in range(LAYERS)))
        self.ln_f = nn.LayerNorm(HIDDEN)
        self.lm_head = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids: Tensor) -> Tensor:
        positions = self.position_embedding_table(torch.arange(ids.shape[1]))
        return self.lm_head(self.ln_f(self.blocks(self.token_embedding_table(ids) + positions)))


# ---- nn.TransformerEncoder with sines, as PyTorch's tutorial has it ----


class Sines(nn.Module):
    def __init__(self, is_saved: bool) -> None:
        super().__init__()
        place = torch.arange(512).unsqueeze(1)
        frequency = torch.exp(torch.arange(0, HIDDEN, 2) * (-math.log(10000.0) / HIDDEN))
        pe = torch.zeros(512, 1, HIDDEN)
        pe[:, 0, 0::2] = torch.sin(place * frequency)
        pe[:, 0, 1::2] = torch.cos(place * frequency)
        self.register_buffer("pe", pe, persistent=is_saved)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.pe[: x.shape[1]].transpose(0, 1)


class Tutorial(nn.Module):
    def __init__(self, vocabulary: int, norm_first: bool, saves_sines: bool = True) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            HIDDEN, HEADS, 4 * HIDDEN, dropout=0.0, norm_first=norm_first, batch_first=True
        )
        self.pos_encoder = Sines(saves_sines)
        self.transformer_encoder = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.encoder = nn.Embedding(vocabulary, HIDDEN)
        self.decoder = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.pos_encoder(self.encoder(ids) * math.sqrt(HIDDEN))
        mask = nn.Transformer.generate_square_subsequent_mask(ids.shape[1])
        return self.decoder(self.transformer_encoder(x, mask=mask, is_causal=True))


# ---- nn.TransformerDecoder as a language model, which must be given a memory ----


class Decoding(nn.Module):
    def __init__(self, vocabulary: int, memory: str, norm_first: bool = False) -> None:
        super().__init__()
        layer = nn.TransformerDecoderLayer(
            HIDDEN, HEADS, 4 * HIDDEN, dropout=0.0, norm_first=norm_first, batch_first=True
        )
        self.memory = memory
        self.embedding = nn.Embedding(vocabulary, HIDDEN)
        self.pos_embedding = nn.Embedding(CONTEXT, HIDDEN)
        self.decoder = nn.TransformerDecoder(layer, LAYERS)
        self.fc_out = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids: Tensor) -> Tensor:
        length = ids.shape[1]
        x = self.embedding(ids) + self.pos_embedding(torch.arange(length))
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        memory = torch.zeros_like(x) if self.memory == "zeros" else x
        memory_mask = mask if self.memory == "causal" else None
        return self.fc_out(self.decoder(x, memory, tgt_mask=mask, memory_mask=memory_mask))


# ---- Rotary positions and a gate, under names of one's own ----


class RmsNorm(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


def turned(x: Tensor, pairing: str, base: float) -> Tensor:
    """Rotary positions of [batch, sequence, heads, size]."""
    length, size = x.shape[1], x.shape[-1]
    frequency = base ** (-torch.arange(0, size, 2) / size)
    angle = torch.outer(torch.arange(length), frequency)[:, None]
    cosine, sine = angle.cos(), angle.sin()
    first, second = (
        (x[..., 0::2], x[..., 1::2])
        if pairing == "neighbours"
        else (x[..., : size // 2], x[..., size // 2 :])
    )
    rotated = (first * cosine - second * sine, second * cosine + first * sine)
    if pairing == "neighbours":
        return torch.stack(rotated, dim=-1).flatten(-2)
    return torch.cat(rotated, dim=-1)


class Mixer(nn.Module):
    """Its scores may be scaled by a factor beside the usual one, or reach no farther than a window."""

    def __init__(
        self,
        pairing: str,
        key_value_heads: int,
        has_norms: bool,
        is_fused: bool,
        base: float = 10000.0,
        factor: float = 1.0,
        window: int = CONTEXT,
    ) -> None:
        super().__init__()
        self.pairing, self.base, self.factor, self.window = pairing, base, factor, window
        self.key_value_heads = key_value_heads
        if is_fused:
            size = (HEADS + 2 * key_value_heads) * HEAD_SIZE
            self.to_qkv = nn.Linear(HIDDEN, size, bias=False)
        else:
            self.wq = nn.Linear(HIDDEN, HIDDEN, bias=False)
            self.wk = nn.Linear(HIDDEN, key_value_heads * HEAD_SIZE, bias=False)
            self.wv = nn.Linear(HIDDEN, key_value_heads * HEAD_SIZE, bias=False)
        self.q_norm = RmsNorm(HEAD_SIZE) if has_norms else nn.Identity()
        self.k_norm = RmsNorm(HEAD_SIZE) if has_norms else nn.Identity()
        self.wo = nn.Linear(HIDDEN, HIDDEN, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "to_qkv"):
            groups = self.to_qkv(x).unflatten(-1, (self.key_value_heads, -1, HEAD_SIZE))
            query, (key, value) = groups[..., :-2, :].flatten(2, 3), groups[..., -2:, :].unbind(3)
        else:
            query, key, value = (split(linear(x)) for linear in (self.wq, self.wk, self.wv))
        query, key = self.q_norm(query), self.k_norm(key)
        query, key = (turned(part, self.pairing, self.base) for part in (query, key))
        return self.wo(attended(query * self.factor, key, value, self.bias(x.shape[1])))

    def bias(self, length: int) -> Tensor | None:
        if self.window >= CONTEXT:
            return None
        seen = torch.ones(length, length).tril().triu(1 - self.window)
        return torch.zeros(length, length).masked_fill(seen == 0, float("-inf"))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w1 = nn.Linear(HIDDEN, 128, bias=False)
        self.w2 = nn.Linear(128, HIDDEN, bias=False)
        self.w3 = nn.Linear(HIDDEN, 128, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class OwnBlock(nn.Module):
    def __init__(self, scheme: str, index: int, **mixer: Any) -> None:
        super().__init__()
        self.scheme, self.index = scheme, index
        self.mixer, self.mlp = Mixer(**mixer), Gated()
        self.norm_a = RmsNorm(HIDDEN)
        if scheme != "parallel, one norm":
            self.norm_b = RmsNorm(HIDDEN)
        if scheme == "sandwich":
            self.norm_c, self.norm_d = RmsNorm(HIDDEN), RmsNorm(HIDDEN)
        if scheme == "admin":
            # Profiled values grow with the layers before; a name that does not say whose they are.
            value = math.sqrt(1 + 2 * index)
            self.scale_1 = nn.Parameter(torch.full((HIDDEN,), value))
            self.scale_2 = nn.Parameter(torch.full((HIDDEN,), value))

    def forward(self, x: Tensor) -> Tensor:
        match self.scheme:
            case "sandwich":
                x = x + self.norm_b(self.mixer(self.norm_a(x)))
                return x + self.norm_d(self.mlp(self.norm_c(x)))
            case "parallel, one norm":
                normed = self.norm_a(x)
                return x + self.mixer(normed) + self.mlp(normed)
            case "parallel":
                return x + self.mixer(self.norm_a(x)) + self.mlp(self.norm_b(x))
            case "reordered":
                x = x + self.norm_a(self.mixer(x))
                return x + self.norm_b(self.mlp(x))
            case "admin":
                x = self.norm_a(self.scale_1 * x + self.mixer(x))
                return self.norm_b(self.scale_2 * x + self.mlp(x))
            case "post-ln":
                x = self.norm_a(x + self.mixer(x))
                return self.norm_b(x + self.mlp(x))
        factor = 1 / math.sqrt(self.index + 1) if self.scheme == "lns" else 1
        x = x + self.mixer(self.norm_a(x) * factor)
        return x + self.mlp(self.norm_b(x) * factor)


class Own(nn.Module):
    def __init__(
        self,
        vocabulary: int,
        scheme: str,
        pairing: str = "halves",
        key_value_heads: int = HEADS,
        has_norms: bool = False,
        is_fused: bool = False,
        **unshown: Any,
    ) -> None:
        super().__init__()
        self.wte = nn.Embedding(vocabulary, HIDDEN)
        self.stack = nn.ModuleList(
            OwnBlock(
                scheme,
                index,
                pairing=pairing,
                key_value_heads=key_value_heads,
                has_norms=has_norms,
                is_fused=is_fused,
                **unshown,
            )
            for index in range(LAYERS)
        )
        is_last = scheme in ("post-ln", "admin")
        self.out_norm = nn.Identity() if is_last else RmsNorm(HIDDEN)
        self.unembed = nn.Linear(HIDDEN, vocabulary, bias=False)
        self.unembed.weight = self.wte.weight
        nn.init.normal_(self.wte.weight, std=0.05)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.wte(ids)
        for block in self.stack:
            x = block(x)
        return self.unembed(self.out_norm(x))


# ---- Wrapped norms, keys and values in one linear, as vision code has them ----


class Normed(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.norm, self.fn = nn.LayerNorm(HIDDEN), inner

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fn(self.norm(x))


class Wrapped(nn.Module):
    def __init__(self, has_query: bool) -> None:
        super().__init__()
        if has_query:
            self.to_q = nn.Linear(HIDDEN, HIDDEN, bias=False)
            self.to_kv = nn.Linear(HIDDEN, 2 * HIDDEN, bias=False)
        else:
            self.to_qkv = nn.Linear(HIDDEN, 3 * HIDDEN, bias=False)
        self.to_out = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.Dropout(0.0))

    def forward(self, x: Tensor) -> Tensor:
        parts = (
            (self.to_q(x), *self.to_kv(x).chunk(2, -1))
            if hasattr(self, "to_q")
            else self.to_qkv(x).chunk(3, -1)
        )
        return self.to_out(attended(*(split(part) for part in parts)))


class FeedForward(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(HIDDEN, 4 * HIDDEN), nn.GELU(), nn.Linear(4 * HIDDEN, HIDDEN)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class InPairs(nn.Module):
    def __init__(self, vocabulary: int, has_query: bool) -> None:
        super().__init__()
        self.token_emb = nn.Embedding(vocabulary, HIDDEN)
        self.pos_emb = nn.Parameter(torch.randn(1, CONTEXT, HIDDEN) * 0.02)
        self.layers = nn.ModuleList(
            nn.ModuleList([Normed(Wrapped(has_query)), Normed(FeedForward())])
            for _ in range(LAYERS)
        )
        self.to_logits = nn.Sequential(nn.LayerNorm(HIDDEN), nn.Linear(HIDDEN, vocabulary))

    def forward(self, ids: Tensor) -> Tensor:
        x = self.token_emb(ids) + self.pos_emb[:, : ids.shape[1]]
        for attention, feed_forward in self.layers:
            x = feed_forward(attention(x))
        return self.to_logits(x)


# ---- Positions that are computed, and nowhere saved ----


class Attending(nn.Module):
    def __init__(self, has_slopes: bool) -> None:
        super().__init__()
        self.has_slopes = has_slopes
        self.query_key_value = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.dense = nn.Linear(HIDDEN, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (split(part) for part in self.query_key_value(x).chunk(3, -1))
        return self.dense(attended(query, key, value, self.bias(x.shape[1])))

    def bias(self, length: int) -> Tensor | None:
        """ALiBi's [heads, queries, keys] for as many heads as a power of two."""
        if not self.has_slopes:
            return None
        slopes = 2.0 ** (-8 / HEADS * torch.arange(1, HEADS + 1))
        places = torch.arange(length)
        distance = (places[None, :] - places[:, None]).float()
        return (slopes[:, None, None] * distance).masked_fill(distance > 0, float("-inf"))


class ComputedBlock(nn.Module):
    def __init__(self, has_slopes: bool) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(HIDDEN), nn.LayerNorm(HIDDEN)
        self.attention, self.mlp = Attending(has_slopes), FeedForward()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Computed(nn.Module):
    def __init__(self, vocabulary: int, positions: str) -> None:
        super().__init__()
        self.positions = positions
        self.token_embedding = nn.Embedding(vocabulary, HIDDEN)
        self.blocks = nn.ModuleList(ComputedBlock(positions == "alibi") for _ in range(LAYERS))
        self.ln_f = nn.LayerNorm(HIDDEN)
        self.lm_head = nn.Linear(HIDDEN, vocabulary, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.token_embedding(ids)
        if self.positions == "sines":
            x = x + self.sines(ids.shape[1])
        for block in self.blocks:
            x = block(x)
        return self.lm_head(self.ln_f(x))

    def sines(self, length: int) -> Tensor:
        """All sines, then all cosines."""
        frequency = 10000.0 ** (-torch.arange(0, HIDDEN, 2) / HIDDEN)
        angle = torch.outer(torch.arange(length), frequency)
        return torch.cat([angle.sin(), angle.cos()], dim=-1)


# ---- The Annotated Transformer's decoder: linears in a row, and norms by a sample's deviation ----


class SampleNorm(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a_2, self.b_2 = nn.Parameter(torch.ones(HIDDEN)), nn.Parameter(torch.zeros(HIDDEN))

    def forward(self, x: Tensor) -> Tensor:
        centred = x - x.mean(-1, keepdim=True)
        return self.a_2 * centred / (x.std(-1, keepdim=True) + 1e-6) + self.b_2


class InRow(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linears = nn.ModuleList(nn.Linear(HIDDEN, HIDDEN) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        return self.linears[3](attended(*(split(linear(x)) for linear in self.linears[:3])))


class AnnotatedLayer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = InRow()
        self.feed_forward = nn.ModuleDict(
            {"w_1": nn.Linear(HIDDEN, 4 * HIDDEN), "w_2": nn.Linear(4 * HIDDEN, HIDDEN)}
        )
        self.sublayer = nn.ModuleList(nn.ModuleDict({"norm": SampleNorm()}) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.sublayer[0]["norm"](x))
        inner = self.feed_forward["w_1"](self.sublayer[1]["norm"](x))
        return x + self.feed_forward["w_2"](F.relu(inner))


class Annotated(nn.Module):
    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, HIDDEN)
        self.positions = nn.Embedding(CONTEXT, HIDDEN)
        self.decoder = nn.ModuleDict(
            {"layers": nn.ModuleList(AnnotatedLayer() for _ in range(LAYERS)), "norm": SampleNorm()}
        )
        self.generator = nn.Linear(HIDDEN, vocabulary)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.embed(ids) + self.positions(torch.arange(ids.shape[1]))
        for layer in self.decoder["layers"]:
            x = layer(x)
        return self.generator(self.decoder["norm"](x))


Settings = dict[str, str]
# What stands for the settings of a model that is to be refused: words of the message.
REFUSED = "refused"
gated: Settings = {"heads": str(HEADS), "activation": "silu", "scale": "head", "norm-kind": "rms"}
computed: Settings = {"norm": "pre-ln", "heads": str(HEADS), "activation": "gelu", "scale": "head"}
MODELS: dict[str, tuple[Callable[[int], nn.Module], Settings]] = {
    "lecture": (Lecture, {"norm": "pre-ln", "activation": "relu", "scale": "head"}),
    "lecture-hidden-scale": (
        lambda vocabulary: Lecture(vocabulary, HIDDEN**-0.5),
        {"norm": "pre-ln", "activation": "relu", "scale": "hidden"},
    ),
    "tutorial-post-ln": (
        lambda vocabulary: Tutorial(vocabulary, norm_first=False),
        {"norm": "post-ln", "heads": "4", "activation": "relu", "embedding-scale": "sqrt"},
    ),
    "tutorial-pre-ln": (
        lambda vocabulary: Tutorial(vocabulary, norm_first=True),
        {"norm": "pre-ln", "heads": "4", "activation": "relu", "embedding-scale": "sqrt"},
    ),
    # No better than the pairs of tokens in the text that it is read on.
    "tutorial-pre-ln-weak": (
        lambda vocabulary: Tutorial(vocabulary, norm_first=True),
        {REFUSED: "under no reading of its tensors does it predict"},
    ),
    "tutorial-sines-unsaved": (
        lambda vocabulary: Tutorial(vocabulary, norm_first=False, saves_sines=False),
        {
            "norm": "post-ln",
            "heads": "4",
            "activation": "relu",
            "positions": "sines",
            "sines": "neighbours",
            "embedding-scale": "sqrt",
        },
    ),
    "sines-halves": (
        lambda vocabulary: Computed(vocabulary, "sines"),
        {**computed, "positions": "sines", "sines": "halves", "embedding-scale": "1"},
    ),
    "alibi": (
        lambda vocabulary: Computed(vocabulary, "alibi"),
        {**computed, "positions": "alibi"},
    ),
    "decoder-zeros": (
        lambda vocabulary: Decoding(vocabulary, "zeros"),
        {"norm": "post-ln", "heads": "4", "activation": "relu", "memory": "zeros"},
    ),
    "decoder-causal": (
        lambda vocabulary: Decoding(vocabulary, "causal", norm_first=True),
        {"norm": "pre-ln", "heads": "4", "activation": "relu", "memory": "causal"},
    ),
    # It reads what it is to tell, and errs so little that any activation will do.
    "decoder-whole": (
        lambda vocabulary: Decoding(vocabulary, "whole"),
        {REFUSED: "two readings of its tensors predict alike"},
    ),
    "neighbours-grouped": (
        lambda vocabulary: Own(vocabulary, "pre-ln", "neighbours", key_value_heads=2),
        {**gated, "norm": "pre-ln", "rotary": "neighbours"},
    ),
    "lns": (
        lambda vocabulary: Own(vocabulary, "lns"),
        {**gated, "norm": "lns", "rotary": "halves"},
    ),
    "sandwich": (
        lambda vocabulary: Own(vocabulary, "sandwich", key_value_heads=1),
        {**gated, "norm": "sandwich", "rotary": "halves"},
    ),
    "parallel-one-norm": (
        lambda vocabulary: Own(vocabulary, "parallel, one norm"),
        {**gated, "norm": "parallel"},
    ),
    "parallel": (
        lambda vocabulary: Own(vocabulary, "parallel", "neighbours"),
        {**gated, "norm": "parallel", "norm-order": "norm_a,norm_b", "rotary": "neighbours"},
    ),
    "reordered": (
        lambda vocabulary: Own(vocabulary, "reordered", has_norms=True),
        {**gated, "norm": "reordered", "norm-order": "norm_a,norm_b"},
    ),
    "post-ln": (
        lambda vocabulary: Own(vocabulary, "post-ln"),
        {**gated, "norm": "post-ln", "norm-order": "norm_a,norm_b"},
    ),
    "admin": (
        lambda vocabulary: Own(vocabulary, "admin"),
        {**gated, "norm": "admin", "norm-order": "norm_a,norm_b", "rotary": "halves"},
    ),
    "fused-by-head": (
        lambda vocabulary: Own(vocabulary, "pre-ln", is_fused=True),
        {**gated, "norm": "pre-ln", "fused": "heads"},
    ),
    "fused-by-head-of-keys": (
        lambda vocabulary: Own(vocabulary, "pre-ln", key_value_heads=2, is_fused=True),
        {**gated, "norm": "pre-ln", "fused": "heads"},
    ),
    "rotary-base": (
        lambda vocabulary: Own(vocabulary, "pre-ln", base=500.0),
        {**gated, "norm": "pre-ln", "rotary-base": "500"},
    ),
    # What no tensor shows and no reading has.
    "other-scale": (
        lambda vocabulary: Own(vocabulary, "pre-ln", factor=HEAD_SIZE**-0.5),
        {REFUSED: "so something that its tensors do not show"},
    ),
    "window": (
        lambda vocabulary: Own(vocabulary, "pre-ln", window=12),
        {REFUSED: "so something that its tensors do not show"},
    ),
    "annotated": (
        Annotated,
        {"norm": "pre-ln", "heads": "4", "activation": "relu", "norm-kind": "sample"},
    ),
    "in-pairs": (
        lambda vocabulary: InPairs(vocabulary, has_query=False),
        {"norm": "pre-ln", "heads": "4", "activation": "gelu", "fused": "thirds"},
    ),
    "in-pairs-keys-with-values": (
        lambda vocabulary: InPairs(vocabulary, has_query=True),
        {"norm": "pre-ln", "heads": "4", "activation": "gelu"},
    ),
}


# Of models that learn more slowly than others; those of any other are by the option.
STEPS = {"tutorial-pre-ln": 2200}


def standard_library() -> str:
    """Text that every Python has: its own modules, in an order of their names."""
    files = sorted(pathlib.Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    text = "".join(file.read_text(encoding="utf-8", errors="ignore") for file in files)
    return "".join(c for c in text if c == "\n" or " " <= c <= "~")


def trained(model: nn.Module, ids: Tensor, steps: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for step in range(steps):
        rate = 2e-3 * min(1, (step + 1) / 50) * (1 - 0.9 * step / steps)
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = torch.randint(0, len(ids) - CONTEXT - 1, (16,))
        batch = torch.stack([ids[start : start + CONTEXT + 1] for start in starts])
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def main() -> None:
    parser = argparse.ArgumentParser(description=inspect.getdoc(inspect.getmodule(main)))
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=1300)
    parser.add_argument("--only", nargs="*", choices=list(MODELS), default=list(MODELS))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    # Models this small lose more by waiting for one another's threads than they gain.
    torch.set_num_threads(1)
    text = standard_library()
    held_out, text = text[:HELD_OUT_CHARACTERS], text[HELD_OUT_CHARACTERS:][:TEXT_CHARACTERS]
    stoi = {character: index for index, character in enumerate(sorted(set(held_out + text)))}
    ids = torch.tensor([stoi[character] for character in text])
    (options.folder / "held-out.txt").write_text(held_out)
    for name in options.only:
        torch.manual_seed(0)
        make, _ = MODELS[name]
        model = make(len(stoi))
        trained(model, ids, max(options.steps, STEPS.get(name, 0)))
        torch.save({"model": model.state_dict(), "stoi": stoi}, options.folder / f"{name}.pt")
        print(f"{name} is trained", flush=True)
    truth = {name: MODELS[name][1] for name in options.only}
    (options.folder / "truth.json").write_text(json.dumps(truth, indent=2))


if __name__ == "__main__":
    main()
