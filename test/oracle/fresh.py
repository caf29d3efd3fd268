"""Cases of random shape: what the committed ones did not think of."""

import random
from typing import Any

from cases import Case, Config, llama, mistral, qwen2, qwen3


def fresh_cases(seed: int, count: int) -> list[Case]:
    return [fresh_case(random.Random(f"{seed}/{i}"), f"fresh-{seed}-{i}") for i in range(count)]


def fresh_case(draw: random.Random, name: str) -> Case:
    family = draw.choice([llama, llama, mistral, qwen2, qwen3])
    key_value_heads = draw.choice([1, 2, 3])
    heads = key_value_heads * draw.choice([1, 2, 4])
    # A Jacobian has (tokens × channels)² entries: more than 48 channels would take gigabytes.
    head_size = draw.choice([size for size in (2, 4, 6, 10, 16) if heads * size <= 48])
    dtype = draw.choice(["float32", "float32", "bfloat16", "float16"])
    overrides: dict[str, Any] = {
        "hidden_act": draw.choice(["silu", "silu", "gelu", "gelu_new", "gelu_pytorch_tanh"]),
        "hidden_size": heads * head_size,
        "intermediate_size": draw.randrange(7, 70),
        "num_attention_heads": heads,
        "num_hidden_layers": draw.randrange(2, 6),
        "num_key_value_heads": key_value_heads,
        "rms_norm_eps": draw.choice([1e-6, 1e-5, 1e-2]),
        "rope_theta": draw.choice([100.0, 10000.0, 1e6]),
        "tie_word_embeddings": draw.random() < 0.4,
        "torch_dtype": dtype,
        "vocab_size": draw.randrange(33, 131),
    }
    # Documents of a single token are allowed, but not alone: there would be no loss at all.
    further = [draw.choice([1, draw.randrange(2, 45)]) for _ in range(draw.choice([0, 1, 2, 4]))]
    lengths = (draw.randrange(3, 45), *further)
    return Case(
        f"{name}-{family.__name__}",
        # Later keys win, so that a family's own options may replace the shapes above.
        {**family(), **overrides, **family_options(family.__name__, overrides, draw)},
        document_lengths=lengths,
        dtype=dtype,
        shards=draw.choice([1, 1, 2, 5]),
        written_by_transformers=draw.random() < 0.4,
    )


def family_options(family: str, shapes: Config, draw: random.Random) -> Config:
    window = draw.randrange(1, 20)
    if family == "llama":
        return {
            "attention_bias": draw.random() < 0.3,
            "mlp_bias": draw.random() < 0.3,
            **({"layer_norm_scaling": True} if draw.random() < 0.3 else {}),
            **({"head_dim": draw.choice([4, 8, 12])} if draw.random() < 0.5 else {}),
            "rope_scaling": draw.choice([None, linear_scaling(draw), llama3_scaling(draw)]),
        }
    if family == "mistral":
        return {
            "head_dim": draw.choice([None, 4, 14]),
            "sliding_window": draw.choice([None, window]),
        }
    options: Config = {
        "max_window_layers": draw.randrange(0, shapes["num_hidden_layers"] + 1),
        "sliding_window": window,
        "use_sliding_window": draw.random() < 0.5,
    }
    if family == "qwen3":
        options["attention_bias"] = draw.random() < 0.3
        options["head_dim"] = draw.choice([4, 8, 12])
    return options


def linear_scaling(draw: random.Random) -> Config:
    # "type" is how configs older than "rope_type" name it.
    return {draw.choice(["type", "rope_type"]): "linear", "factor": draw.choice([2.0, 4.0])}


def llama3_scaling(draw: random.Random) -> Config:
    return {
        "factor": draw.choice([2.0, 8.0, 32.0]),
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": draw.choice([8, 16, 32, 64]),
        "rope_type": "llama3",
    }
