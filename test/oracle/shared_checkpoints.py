"""Forward passes of real checkpoints, written from the checkpoints alone or by transformers, against the
built CLI's report: the loss, every layer's output variance, and what removing each layer costs.

The checkpoints are those of `../shared/checkpoints`, beside the project; without the folder nothing is
compared. What they are evaluated on is random, and what weights do not tell is stated, so that both sides
compute the same; those that are no plain transformers must be refused, with the words that say why.
"""

import json
import pickle
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from questions import Question, masked, next_tokens

HERE = Path(__file__).resolve().parent
CLI = HERE.parents[1] / "dist" / "cli.js"
CHECKPOINTS = HERE.parents[2] / "shared" / "checkpoints"
DOCUMENTS, LENGTH, SEED = 3, 40, 0
# Ours runs in double precision, the CLI in single.
TOLERANCE = 2e-4

Weights = dict[str, Tensor]


@dataclass
class Model:
    """A residual stack, as functions of single documents [tokens, channels]."""

    embed: Callable[[Tensor], Tensor]
    layers: list[Callable[[Tensor], Tensor]]
    head: Callable[[Tensor], Tensor]
    # Token ids, or classes, are below it.
    vocabulary: int
    # Of images that a model reads instead, whose classes are asked for.
    image_shape: tuple[int, int, int] | None = None
    mask_token: int | None = None
    # What is stated of the reading.
    reading: dict[str, str] = field(default_factory=dict)


# ---- Parts that several share ----


def linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"))


def layer_norm(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-5)


def rms_norm(weight: Tensor, x: Tensor, epsilon: float) -> Tensor:
    return weight * x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon)


def attend(
    query: Tensor, key: Tensor, value: Tensor, heads: int, is_causal: bool = True
) -> Tensor:
    """Attention of [tokens, channels]; key and value may have fewer heads, of the same size."""
    size = query.shape[-1] // heads
    query, key, value = (x.unflatten(-1, (-1, size)).transpose(0, 1) for x in (query, key, value))
    key, value = (x.repeat_interleave(heads // x.shape[0], 0) for x in (key, value))
    mixed = F.scaled_dot_product_attention(query, key, value, is_causal=is_causal)
    return mixed.transpose(0, 1).flatten(-2)


def turned(x: Tensor, size: int, pairing: str) -> Tensor:
    """Rotary positions over every `size` channels, in pairs of neighbours or of both halves."""
    frequencies = 10000.0 ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.outer(torch.arange(len(x), dtype=torch.float64), frequencies)[:, None]
    cosine, sine = angles.cos(), angles.sin()
    groups = x.unflatten(-1, (-1, size))
    if pairing == "neighbours":
        first, second = groups[..., 0::2], groups[..., 1::2]
    else:
        first, second = groups.chunk(2, -1)
    pair = (first * cosine - second * sine, second * cosine + first * sine)
    joined = torch.stack(pair, -1).flatten(-2) if pairing == "neighbours" else torch.cat(pair, -1)
    return joined.flatten(-2)


# ---- LLaMA, in llama2.c's files, in GGUF and as it was trained ----


def llama(weights: Weights, layers: int, heads: int) -> Model:
    """Meta's names and order of rotary pairs."""

    def layer(index: int) -> Callable[[Tensor], Tensor]:
        own = {k.split(".", 2)[2]: v for k, v in weights.items() if k.startswith(f"layers.{index}.")}

        def run(x: Tensor) -> Tensor:
            normed = rms_norm(own["attention_norm.weight"], x, 1e-5)
            query, key, value = (linear(own, f"attention.w{n}", normed) for n in "qkv")
            size = query.shape[-1] // heads
            query, key = turned(query, size, "neighbours"), turned(key, size, "neighbours")
            x = x + linear(own, "attention.wo", attend(query, key, value, heads))
            normed = rms_norm(own["ffn_norm.weight"], x, 1e-5)
            gate, up = (linear(own, f"feed_forward.{n}", normed) for n in ("w1", "w3"))
            return x + linear(own, "feed_forward.w2", F.silu(gate) * up)

        return run

    tokens = weights["tok_embeddings.weight"]
    head = weights.get("output.weight", tokens)
    return Model(
        lambda ids: tokens[ids],
        [layer(index) for index in range(layers)],
        lambda x: rms_norm(weights["norm.weight"], x, 1e-5) @ head.T,
        len(tokens),
    )


LLAMA_PARTS = ("attention_norm", "attention.wq", "attention.wk", "attention.wv", "attention.wo")
LLAMA_PARTS_AFTER = ("ffn_norm", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3")


def llama2c(path: Path) -> Model:
    """export.py of llama2.c: version 0 has no magic, version 1 begins with "ak42"."""
    data = path.read_bytes()
    is_first = data[:4] == struct.pack("<I", 0x616B3432)
    sizes = struct.unpack_from("<7i", data, 8 if is_first else 0)
    size, hidden, layers, heads, key_value_heads, vocabulary, length = sizes
    is_shared = data[36] == 1 if is_first else vocabulary > 0
    vocabulary = abs(vocabulary)
    numbers = torch.from_numpy(np.frombuffer(data, "<f4", offset=256 if is_first else 28).copy())
    at = 0

    def take(*shape: int) -> Tensor:
        nonlocal at
        count = int(np.prod(shape))
        at += count
        return numbers[at - count : at].reshape(shape).double()

    width = key_value_heads * (size // heads)
    shapes = {
        "attention_norm": (size,),
        "attention.wq": (size, size),
        "attention.wk": (width, size),
        "attention.wv": (width, size),
        "attention.wo": (size, size),
        "ffn_norm": (size,),
        "feed_forward.w1": (hidden, size),
        "feed_forward.w2": (size, hidden),
        "feed_forward.w3": (hidden, size),
    }
    weights: Weights = {}

    def take_of_layers(*parts: str) -> None:
        for part in parts:
            for index, tensor in enumerate(take(layers, *shapes[part])):
                weights[f"layers.{index}.{part}.weight"] = tensor

    if is_first:
        take_of_layers("attention_norm", "ffn_norm")
        weights["norm.weight"] = take(size)
        weights["tok_embeddings.weight"] = take(vocabulary, size)
        take_of_layers(*LLAMA_PARTS[1:], *LLAMA_PARTS_AFTER[1:])
    else:
        weights["tok_embeddings.weight"] = take(vocabulary, size)
        take_of_layers(*LLAMA_PARTS, *LLAMA_PARTS_AFTER)
        weights["norm.weight"] = take(size)
        take(2, length, size // heads // 2)
    if not is_shared:
        weights["output.weight"] = take(vocabulary, size)
    if at != len(numbers):
        raise SystemExit(f"{path}: {len(numbers) - at} numbers are left over")
    return llama(weights, layers, heads)


def llama_checkpoint(path: Path) -> Model:
    checkpoint = unpickled(path)
    args = checkpoint["model_args"]
    return llama(doubles(checkpoint["model"]), args["n_layers"], args["n_heads"])


def llama_gguf(path: Path) -> Model:
    from gguf import GGUFReader

    reader = GGUFReader(path)
    names = {
        "token_embd": "tok_embeddings",
        "output_norm": "norm",
        "attn_norm": "attention_norm",
        "attn_q": "attention.wq",
        "attn_k": "attention.wk",
        "attn_v": "attention.wv",
        "attn_output": "attention.wo",
        "ffn_gate": "feed_forward.w1",
        "ffn_down": "feed_forward.w2",
        "ffn_up": "feed_forward.w3",
    }
    weights: Weights = {}
    for tensor in reader.tensors:
        steps = tensor.name.removeprefix("blk.").split(".")
        own = [names.get(step, step) for step in steps]
        prefix = "layers." if tensor.name.startswith("blk.") else ""
        weights[prefix + ".".join(own)] = torch.from_numpy(np.array(tensor.data)).double()
    heads = int(reader.fields["llama.attention.head_count"].contents())
    layers = int(reader.fields["llama.block_count"].contents())
    return llama(weights, layers, heads)


# ---- Models of people's own ----


def grammar(path: Path) -> Model:
    """Of Qwen's kind: biases of queries, keys and values, rotary pairs in halves, an RMS norm."""
    weights = doubles(unpickled(path))
    heads, epsilon = 8, 1e-6

    def layer(index: int) -> Callable[[Tensor], Tensor]:
        name = f"layers.{index}"

        def run(x: Tensor) -> Tensor:
            normed = rms_norm(weights[f"{name}.input_layernorm.weight"], x, epsilon)
            query, key, value = (linear(weights, f"{name}.attention.{n}_proj", normed) for n in "qkv")
            size = query.shape[-1] // heads
            mixed = attend(turned(query, size, "halves"), turned(key, size, "halves"), value, heads)
            x = x + linear(weights, f"{name}.attention.o_proj", mixed)
            normed = rms_norm(weights[f"{name}.post_attention_layernorm.weight"], x, epsilon)
            gate, up = (linear(weights, f"{name}.ffn.{n}_proj", normed) for n in ("gate", "up"))
            return x + linear(weights, f"{name}.ffn.down_proj", F.silu(gate) * up)

        return run

    tokens = weights["embed_tokens.weight"]
    return Model(
        lambda ids: tokens[ids],
        [layer(index) for index in range(6)],
        lambda x: linear(weights, "lm_head", rms_norm(weights["norm.weight"], x, epsilon)),
        len(tokens),
        reading={
            **{"norm": "pre-ln", "heads": str(heads), "activation": "silu", "scale": "head"},
            **{"positions": "rotary", "rotary": "halves", "rotary-span": "head"},
            **{"embedding-scale": "1", "norm-kind": "rms", "epsilon": "1e-6"},
        },
    )


GPT_READING = {"heads": "4", "scale": "head", "embedding-scale": "1", "epsilon": "1e-5"}


def tensorforge(path: Path) -> Model:
    """Post-LN; where it is rotary, the channels of all heads are turned as one row."""
    weights = doubles(unpickled(path)["model"])
    heads = 4
    is_rotary = "cos" in weights

    def layer(index: int) -> Callable[[Tensor], Tensor]:
        name = f"blocks.{index}"

        def run(x: Tensor) -> Tensor:
            query, key, value = (linear(weights, f"{name}.self_attn.W_{n}", x) for n in "qkv")
            if is_rotary:
                query, key = (turned(each, each.shape[-1], "halves") for each in (query, key))
            mixed = linear(weights, f"{name}.self_attn.W_o", attend(query, key, value, heads))
            x = layer_norm(weights, f"{name}.norm1", x + mixed)
            inner = F.relu(linear(weights, f"{name}.ffn.linear1", x))
            return layer_norm(weights, f"{name}.norm2", x + linear(weights, f"{name}.ffn.linear2", inner))

        return run

    tokens = weights["token_embedding.weight"]
    positions = weights.get("pos_embedding.weight", torch.zeros(LENGTH, tokens.shape[1]).double())
    reading = {**GPT_READING, "norm": "post-ln", "activation": "relu"}
    rotary = {"positions": "rotary", "rotary": "halves", "rotary-span": "heads"}
    return Model(
        lambda ids: tokens[ids] + positions[: len(ids)],
        [layer(index) for index in range(4)],
        lambda x: linear(weights, "lm_head", layer_norm(weights, "ln_f", x)),
        len(tokens),
        reading={**reading, **(rotary if is_rotary else {})},
    )


def slm4096(path: Path) -> Model:
    weights = doubles(unpickled(path)["model_state"])

    def layer(index: int) -> Callable[[Tensor], Tensor]:
        name = f"blocks.{index}"

        def run(x: Tensor) -> Tensor:
            fused = linear(weights, f"{name}.attn.c_attn", layer_norm(weights, f"{name}.ln_1", x))
            mixed = attend(*fused.chunk(3, -1), 4)
            x = x + linear(weights, f"{name}.attn.c_proj", mixed)
            inner = linear(weights, f"{name}.mlp.c_fc", layer_norm(weights, f"{name}.ln_2", x))
            return x + linear(weights, f"{name}.mlp.c_proj", F.gelu(inner))

        return run

    tokens, positions = weights["tok_emb.weight"], weights["pos_emb.weight"]
    return Model(
        lambda ids: tokens[ids] + positions[: len(ids)],
        [layer(index) for index in range(4)],
        lambda x: linear(weights, "head", layer_norm(weights, "ln_f", x)),
        len(tokens),
        reading={**GPT_READING, "norm": "pre-ln", "activation": "gelu", "gelu": "exact"},
    )


def vit_mnist(path: Path) -> Model:
    """PyTorch's own layers; weights do not tell the heads, and what is stated is computed."""
    weights = doubles(unpickled(path))
    size, inner = weights["cls_token"].shape[-1], 256
    layers = []
    for index in range(6):
        name = f"transformer.layers.{index}."
        own = {k.removeprefix(name): v for k, v in weights.items() if k.startswith(name)}
        layers.append(nn.TransformerEncoderLayer(size, 8, inner, activation="gelu", batch_first=True))
        layers[-1].load_state_dict(own)
        layers[-1].double().eval()

    def embed(image: Tensor) -> Tensor:
        name = "patch_embed.projection"
        patches = F.conv2d(image[None], weights[f"{name}.weight"], weights[f"{name}.bias"], stride=7)
        row = torch.cat([weights["cls_token"][0], patches[0].flatten(1).T])
        return row + weights["pos_embed"][0]

    return Model(
        embed,
        [lambda x, layer=layer: layer(x[None])[0] for layer in layers],
        lambda x: linear(weights, "mlp_head.1", layer_norm(weights, "mlp_head.0", x[:1])),
        10,
        image_shape=(1, 28, 28),
        reading={
            **{"heads": "8", "norm": "post-ln", "activation": "gelu", "gelu": "exact"},
            **{"pool": "token", "epsilon": "1e-5"},
        },
    )


# ---- What transformers loads ----


def gpt2(folder: Path) -> Model:
    from transformers import GPT2LMHeadModel

    model = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True).double().eval()
    stack = model.transformer
    return Model(
        lambda ids: stack.wte(ids) + stack.wpe(torch.arange(len(ids))),
        [lambda x, layer=layer: stream_of(layer(x[None]))[0] for layer in stack.h],
        lambda x: model.lm_head(stack.ln_f(x)),
        model.config.vocab_size,
    )


def albert(folder: Path) -> Model:
    from transformers import AlbertForMaskedLM

    # The pickle is older than torch's zip files, so that it cannot be loaded by what loads weights only.
    config = AlbertForMaskedLM.config_class.from_pretrained(folder, local_files_only=True)
    model = AlbertForMaskedLM(config)
    missing = model.load_state_dict(unpickled(folder / "pytorch_model.bin"), strict=False)
    if missing.missing_keys and set(missing.missing_keys) - {"predictions.decoder.bias"}:
        raise SystemExit(f"{folder}: {missing}")
    model.double().eval()
    stack = model.albert
    layer = stack.encoder.albert_layer_groups[0].albert_layers[0]
    words = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return Model(
        lambda ids: stack.encoder.embedding_hidden_mapping_in(stack.embeddings(ids[None]))[0],
        [lambda x: stream_of(layer(x[None]))[0]] * config.num_hidden_layers,
        model.predictions,
        config.vocab_size,
        mask_token=words.index("[MASK]"),
    )


def stream_of(output: Tensor | tuple[Any, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


# ---- Reading and comparing ----


class Inert(pickle.Unpickler):
    """Nothing but torch's own and collections is imported; everything else is an object without use."""

    def find_class(self, module: str, name: str) -> Any:
        if module.split(".")[0] in ("torch", "collections"):
            return super().find_class(module, name)
        return type(name, (), {"__setstate__": lambda self, state: None})


def unpickled(path: Path) -> dict[str, Any]:
    inert = SimpleNamespace(
        Unpickler=Inert, load=lambda file, **options: Inert(file, **options).load(), __name__="pickle"
    )
    return torch.load(path, map_location="cpu", pickle_module=inert, weights_only=False)


def doubles(weights: dict[str, Tensor]) -> Weights:
    return {name.removeprefix("_orig_mod."): tensor.double() for name, tensor in weights.items()}


@dataclass
class Found:
    nll: float
    variances: list[float]
    removals: list[float]


def ours(model: Model, questions: list[Question]) -> Found:
    def run(removed: int | None) -> tuple[list[Tensor], list[list[Tensor]]]:
        losses, streams = [], [[] for _ in model.layers]
        for question in questions:
            fed = question.tokens
            x = model.embed(fed.double() if isinstance(fed, Tensor) else torch.tensor(fed))
            for index, layer in enumerate(model.layers):
                x = x if index == removed else layer(x)
                streams[index].append(x.var(-1, correction=0))
            logits = model.head(x)[question.positions]
            targets = torch.tensor(question.targets)
            losses.append(F.cross_entropy(logits, targets, reduction="none"))
        return losses, streams

    baseline, streams = run(None)
    nll = float(torch.cat(baseline).mean())
    removals = [
        float(torch.cat(run(index)[0]).mean()) - nll for index in range(len(model.layers))
    ]
    return Found(nll, [float(torch.cat(each).mean()) for each in streams], removals)


def questions_for(model: Model, folder: Path) -> tuple[list[Question], list[str]]:
    """Random ones, and the options that give the CLI the same."""
    generator = torch.Generator().manual_seed(SEED)
    if model.image_shape:
        images = torch.randn((8, *model.image_shape), generator=generator)
        labels = torch.randint(model.vocabulary, (8,), generator=generator)
        path = folder / "images.safetensors"
        save_file({"pixel_values": images, "labels": labels}, path)
        asked = [Question(image, [0], [int(label)]) for image, label in zip(images, labels)]
        return asked, ["--images", str(path)]
    shape = (DOCUMENTS, LENGTH)
    documents = torch.randint(model.vocabulary, shape, generator=generator).tolist()
    path = folder / "tokens.json"
    path.write_text(json.dumps(documents))
    if model.mask_token is None:
        asked = [next_tokens(document) for document in documents]
    else:
        asked = [
            masked(document, model.mask_token, SEED, index)
            for index, document in enumerate(documents)
        ]
    return asked, ["--tokens", str(path)]


def diagnose(path: Path, options: list[str]) -> subprocess.CompletedProcess[str]:
    command = ["node", str(CLI), "diagnose", str(path), *options]
    command += ["--metrics", "variance,pruning", "--device", "cpu", "--seed", str(SEED), "--json", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def compared(path: Path, model: Model) -> list[str]:
    """What is wrong, in words."""
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        questions, options = questions_for(model, Path(folder))
        for key, value in model.reading.items():
            options += ["--reading", f"{key}={value}"]
        run = diagnose(path, options)
        if run.returncode != 0:
            return [run.stderr.strip()]
        report, expected = json.loads(run.stdout), ours(model, questions)
    layers = report["layers"]
    pairs = [("nll", report["baseline"]["nll"], expected.nll)]
    if len(layers) != len(expected.variances):
        return [f"{len(layers)} layers, but there are {len(expected.variances)}"]
    for layer, variance, removal in zip(layers, expected.variances, expected.removals):
        name = f"layer {layer['index']}"
        pairs.append((f"{name}: variance", layer["outputVariance"]["mean"], variance))
        pairs.append((f"{name}: ΔNLL", layer["pruning"]["deltaNll"], removal))
    return [
        f"{name} is {actual}, expected {value}"
        for name, actual, value in pairs
        if abs(actual - value) > TOLERANCE * max(1, abs(value))
    ]


READ: dict[str, Callable[[Path], Model]] = {
    "stories260k-llama2c/checkpoint_v0.bin": llama2c,
    "stories260k-llama2c/checkpoint_v1.bin": llama2c,
    "stories260k-gguf/stories260K.gguf": llama_gguf,
    "llama2xs/ckpt.pt": llama_checkpoint,
    "llama2xs/model.bin": llama2c,
    "grammar-knn-lm/model.pt": grammar,
    "tensorforge-gpt/gpt.pt": tensorforge,
    "tensorforge-gpt/gpt_rope_gqa.pt": tensorforge,
    "slm4096-nanogpt/ckpt.pt": slm4096,
    "rxnmapper-albert": albert,
    "vit-mnist-postln/model.pt": vit_mnist,
    "capp-gpt2-onnx-and-hf": gpt2,
}

# What is no plain transformer, or no checkpoint, and the words that say so.
REFUSED: dict[str, tuple[str, ...]] = {
    "capp-gpt2-onnx-and-hf/model.onnx": ("an ONNX graph", "the checkpoint that it was made from"),
    "protocol-encoder/transformer_model.onnx": ("an ONNX graph",),
    "no-mlp-residual-gpt/gpt.pt": ("one norm", "transformer_decoders.0.layer_norm.weight"),
    "decision-transformer/MemoryGatedMLP.pt": ("several embeddings", "action_embedding.0.weight"),
    "patchtst-batchnorm/finetuned_d128.pth": ("a norm over batches", "running_mean"),
    "retsim-gau/model.safetensors": ("no layers with attention", "gau_layers.0.beta"),
    "sasrec/SASRec.epoch1000.pth": ("norms around its layers", "attention_layernorms.0.weight"),
    "hybridstories/best.pt": ("state-space", "blocks.0.ssm.A_log"),
    "hybridstories/step_2000.pt": ("state-space", "blocks.0.ssm.A_log"),
    "hybridstories/step_20000.pt": ("state-space", "blocks.0.ssm.A_log"),
}


def refused(path: Path, words: tuple[str, ...]) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        tokens = Path(folder) / "tokens.json"
        tokens.write_text(json.dumps([list(range(24))]))
        run = diagnose(path, ["--tokens", str(tokens)])
    if run.returncode == 0:
        return ["it is read, and was to be refused"]
    return [f"{word!r} is not in: {run.stderr.strip()}" for word in words if word not in run.stderr]


def main() -> None:
    if not CHECKPOINTS.exists():
        print(f"{CHECKPOINTS} is absent: real checkpoints are not compared.")
        return
    only = sys.argv[1:]
    failures = 0
    folders = {folder.name for folder in CHECKPOINTS.iterdir() if folder.is_dir()}
    unknown = folders - {name.split("/")[0] for name in (*READ, *REFUSED)}
    for name in sorted(unknown):
        failures += report(name, ["nothing is expected of it"])
    for name, read in READ.items():
        if not only or name in only:
            failures += report(name, compared(CHECKPOINTS / name, read(CHECKPOINTS / name)))
    for name, words in REFUSED.items():
        if not only or name in only:
            failures += report(f"{name} is refused", refused(CHECKPOINTS / name, words))
    if failures > 0:
        raise SystemExit(f"{failures} of the real checkpoints failed")


def report(name: str, wrong: list[str]) -> int:
    print(f"✗ {name}: {'; '.join(wrong[:4])}" if wrong else f"✓ {name}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    main()
