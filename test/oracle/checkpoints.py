"""Random checkpoints in the Hugging Face layout."""

import dataclasses
import json
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM

import olmo_core
import published
import vision
from cases import Case

# The sample's own training code, which has a layer for every norm scheme.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "media" / "sample"))
import schemes  # noqa: E402

Documents = list[list[int]]


def write_checkpoint(case: Case, folder: Path) -> None:
    """Writes config.json, the weights and tokens.json."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "config.json", case.config, indent=2)
    if case.statement is not None:
        write_json(folder / "fathom.json", case.statement, indent=2)
    if case.written_by_transformers:
        AutoConfig.from_pretrained(folder, local_files_only=True).save_pretrained(folder)
    generator = torch.Generator().manual_seed(zlib.crc32(case.seed_text.encode()))
    weights = random_weights(case, folder, generator)
    if case.experts_apart:
        weights = experts_apart(weights, case.config["model_type"])
    if case.shards == 1:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    else:
        save_shards(weights, case.shards, folder)
    if case.images > 0:
        save_file(random_images(case, generator), folder / "images.safetensors")
    else:
        write_json(folder / "tokens.json", random_documents(case, generator), indent=None)


def untrained(config: dict[str, Any], folder: Path) -> nn.Module:
    """The model that a config.json is of: the sample's where it states a norm scheme, one that
    transformers does not have, or one of transformers."""
    if "norm_scheme" in config:
        known = {field.name for field in dataclasses.fields(schemes.SchemeConfig)}
        own = {key: value for key, value in config.items() if key in known}
        return schemes.build(schemes.SchemeConfig(**own))
    if is_timm(config):
        return timm_model(config)
    own = vision.model_of(config) or published.model_of(config)
    if own is not None:
        return own(config)
    if olmo_core.is_config(config):
        return olmo_core.Transformer(config["model"])
    described = AutoConfig.from_pretrained(folder, local_files_only=True)
    if config["model_type"] in NOT_CAUSAL:
        return class_of(config)(described)
    return AutoModelForCausalLM.from_config(described)


def is_timm(config: dict[str, Any]) -> bool:
    return "architecture" in config


def timm_model(config: dict[str, Any]) -> nn.Module:
    import timm

    return timm.create_model(
        config["architecture"], num_classes=config["num_classes"], **config["model_args"]
    )


# Families whose class config.json names: what they are for is not told by the model_type.
NOT_CAUSAL = ("bert", "roberta", "distilbert", "albert", "electra", "vit", "deit", "t5")


def class_of(config: dict[str, Any]) -> type:
    """The class of transformers that reads a checkpoint."""
    if config["model_type"] in NOT_CAUSAL:
        return getattr(transformers, config["architectures"][0])
    return AutoModelForCausalLM


def load_own(folder: Path, config: dict[str, Any]) -> nn.Module:
    """A model that transformers does not have, with the weights of a checkpoint."""
    model = untrained(config, folder)
    weights = load_file(folder / "model.safetensors")
    tensors = {name: torch.from_numpy(values) for name, values in weights.items()}
    missing = model.load_state_dict(tensors, strict=False)
    # A tied head is not stored.
    if {*missing.missing_keys, *missing.unexpected_keys} - {"lm_head.weight"}:
        raise SystemExit(f"{folder.name}: {missing}")
    return model


def random_weights(
    case: Case, folder: Path, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    """Names and shapes come from the real model; the values are large enough to matter."""
    with torch.device("meta"):
        model = untrained(case.config, folder)
    weights: dict[str, torch.Tensor] = {}
    tied = getattr(model, "_tied_weights_keys", None) or ["lm_head.weight"]
    for name, tensor in sorted(model.state_dict().items()):
        if case.is_tied and name in tied:
            continue  # transformers leaves the tied head out of the file
        if re.fullmatch(r"(encoder|decoder)\.embed_tokens\.weight", name) and name in tied:
            continue  # and T5's embedding in either stack, which is always shared
        values = torch.randn(tensor.shape, generator=generator)
        if name.endswith(".ln_scale"):
            values = torch.tensor(olmo_core.ln_scale(int(name.split(".")[1])))
        elif name.endswith(".bias"):
            values = 0.2 * values
        elif values.dim() == 1:
            # Norms, and the vectors of LayerScale and Admin.
            values = 1 + 0.2 * values
        elif "embed" in name or re.search(r"\b(wte|wpe|tok_emb|pos_emb)\b", name):
            values = 0.6 * values
        else:
            values = 0.22 * values
        weights[name_on_disk(case, name)] = values.to(getattr(torch, case.dtype)).contiguous()
    return weights


def experts_apart(weights: dict[str, torch.Tensor], model_type: str) -> dict[str, torch.Tensor]:
    """transformers 4's layout of mixtures of experts."""
    is_mixtral = model_type == "mixtral"
    names = ("w1", "w3", "w2") if is_mixtral else ("gate_proj", "up_proj", "down_proj")
    apart: dict[str, torch.Tensor] = {}
    for name, tensor in weights.items():
        path = name.replace(".mlp.", ".block_sparse_moe.") if is_mixtral else name
        match = re.fullmatch(r"(.*\.experts)\.(gate_up_proj|down_proj)", path)
        if match is None:
            apart[path] = tensor
            continue
        for index, expert in enumerate(tensor):
            parts = expert.chunk(2) if match[2] == "gate_up_proj" else (expert,)
            own = names[:2] if len(parts) == 2 else names[2:]
            for part, own_name in zip(parts, own, strict=True):
                apart[f"{match[1]}.{index}.{own_name}.weight"] = part.contiguous()
    return apart


def save_shards(weights: dict[str, torch.Tensor], count: int, folder: Path) -> None:
    """Deals the tensors out in turn, so that every layer's weights lie in several files."""
    names = sorted(weights)
    files = [f"model-{i + 1:05d}-of-{count:05d}.safetensors" for i in range(count)]
    weight_map = {name: files[i % count] for i, name in enumerate(names)}
    for file in files:
        shard = {name: weights[name] for name in names if weight_map[name] == file}
        save_file(shard, folder / file, metadata={"format": "pt"})
    total_size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values())
    index = {"metadata": {"total_size": total_size}, "weight_map": weight_map}
    write_json(folder / "model.safetensors.index.json", index, indent=2)


# Where checkpoints keep what transformers 5 has other names for.
VISION_NAMES = {
    r"\.layers\.": ".encoder.layer.",
    r"\.attention\.([qkv])_proj\.": r".attention.attention.\1.",
    r"\.attention\.q\.": ".attention.query.",
    r"\.attention\.k\.": ".attention.key.",
    r"\.attention\.v\.": ".attention.value.",
    r"\.attention\.o_proj\.": ".attention.output.dense.",
    r"\.mlp\.fc1\.": ".intermediate.dense.",
    r"\.mlp\.fc2\.": ".output.dense.",
}


def name_on_disk(case: Case, name: str) -> str:
    if case.images > 0 and "model_type" in case.config:
        for pattern, replacement in VISION_NAMES.items():
            name = re.sub(pattern, replacement, name)
    if case.is_old:
        name = re.sub(r"LayerNorm\.weight$", "LayerNorm.gamma", name)
        name = re.sub(r"LayerNorm\.bias$", "LayerNorm.beta", name)
    return name


def random_images(case: Case, generator: torch.Generator) -> dict[str, torch.Tensor]:
    shape = (case.images, *case.image_shape)
    labels = torch.randint(case.classes, (case.images,), generator=generator)
    return {"pixel_values": torch.randn(shape, generator=generator), "labels": labels}


def random_documents(case: Case, generator: torch.Generator) -> Documents:
    vocabulary = case.vocabulary
    documents = [
        torch.randint(vocabulary, (length,), generator=generator).tolist()
        for length in case.document_lengths
    ]
    if case.config.get("model_type") == "roberta":
        # It counts no position for its padding token, wherever that stands.
        documents[0][3] = case.config["pad_token_id"]
    return documents


def write_json(path: Path, value: object, indent: int | None) -> None:
    path.write_text(json.dumps(value, indent=indent, allow_nan=False) + "\n", encoding="utf-8")
