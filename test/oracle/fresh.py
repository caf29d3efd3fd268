"""Cases of random shape and options: what the committed ones did not think of."""

import dataclasses
import random
from typing import Any

from cases import CASES, Case, Config, llama, mistral, qwen2, qwen3

ACTIVATIONS = ["gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu"]
YES_OR_NO = [False, True]


def fresh_cases(seed: int, count: int) -> list[Case]:
    return [fresh_case(random.Random(f"{seed}/{i}"), f"fresh-{seed}-{i}") for i in range(count)]


def fresh_case(draw: random.Random, name: str) -> Case:
    return draw.choice([llama_case, varied_case, varied_case])(draw, name)


def varied_case(draw: random.Random, name: str) -> Case:
    """A committed case of any family with some of that family's options drawn anew."""
    case = draw.choice([case for case in CASES if case.config.get("model_type") in OPTIONS])
    options = OPTIONS[case.config["model_type"]]
    chosen = {
        key: draw.choice(values) for key, values in options.items() if draw.random() < 0.4
    }
    lengths = tuple(draw.randrange(8, 30) for _ in range(draw.choice([1, 2, 3])))
    return dataclasses.replace(
        case,
        name=f"{name}-{case.name}",
        config=consistent({**case.config, **chosen}),
        document_lengths=lengths if max(case.document_lengths) < 40 else case.document_lengths,
        dtype=draw.choice(["float32", "float32", "bfloat16", "float16"]),
        weights_seed="",
    )


# What each family's config can say that both its code and the product read.
OPTIONS: dict[str, dict[str, list[Any]]] = {
    "gpt2": {
        "activation_function": [*ACTIVATIONS, "tanh", "gelu_fast"],
        "n_head": [2, 3, 6],
        "n_inner": [31, 64],
        "scale_attn_by_inverse_layer_idx": [True],
        "scale_attn_weights": [False],
        "tie_word_embeddings": [False],
    },
    "gpt_bigcode": {
        "activation_function": ACTIVATIONS,
        "multi_query": YES_OR_NO,
        "n_inner": [31],
        "scale_attn_weights": YES_OR_NO,
        "tie_word_embeddings": [False],
    },
    "gpt_neo": {
        "activation_function": ACTIVATIONS,
        "intermediate_size": [31],
        "layer_norm_epsilon": [1e-3],
        "num_heads": [2, 3, 6],
        "tie_word_embeddings": [False],
        "window_size": [1, 3, 40],
    },
    "gpt_neox": {
        "attention_bias": YES_OR_NO,
        "hidden_act": ACTIVATIONS,
        "layer_norm_eps": [1e-3],
        "rope_scaling": [{"type": "linear", "factor": 3.0}],
        "rotary_emb_base": [100, 500000],
        "rotary_pct": [0.25, 0.5, 1.0],
        "tie_word_embeddings": [True],
        "use_parallel_residual": YES_OR_NO,
    },
    "gptj": {
        "activation_function": ACTIVATIONS,
        "n_inner": [31],
        "rotary_dim": [2, 6, 8],
    },
    "phi": {
        "hidden_act": ACTIVATIONS,
        "num_attention_heads": [6],
        "num_key_value_heads": [1, 3],
        "partial_rotary_factor": [0.5, 1.0],
        "qk_layernorm": YES_OR_NO,
        "rope_theta": [100.0],
    },
    "phi3": {
        "hidden_act": ACTIVATIONS,
        "num_key_value_heads": [1, 3],
        "sliding_window": [None, 4, 30],
        "tie_word_embeddings": [True],
    },
    "starcoder2": {
        "hidden_act": ACTIVATIONS,
        "num_key_value_heads": [1, 4],
        "norm_epsilon": [1e-3],
        "sliding_window": [None, 3],
        "tie_word_embeddings": [False, True],
        "use_bias": [False],
    },
    "stablelm": {
        "hidden_act": ACTIVATIONS,
        "partial_rotary_factor": [0.25, 0.5, 1.0],
        "qk_layernorm": YES_OR_NO,
        "tie_word_embeddings": [True],
        "use_parallel_residual": YES_OR_NO,
        "use_qkv_bias": YES_OR_NO,
    },
    "opt": {
        "activation_function": ACTIVATIONS,
        "do_layer_norm_before": YES_OR_NO,
        "enable_bias": [False],
        "layer_norm_elementwise_affine": [False],
        "tie_word_embeddings": [False],
        "word_embed_proj_dim": [10, 24],
    },
    "bloom": {
        "layer_norm_epsilon": [1e-3],
        "n_head": [1, 2, 3, 8],
    },
    "mpt": {
        "attn_config": [
            {"alibi": True, "alibi_bias_max": 4},
            {"alibi": True, "clip_qkv": 1.1},
            {"softmax_scale": 0.2},
        ],
        "layer_norm_epsilon": [1e-3],
        "n_heads": [2, 3, 8, 12],
    },
    "falcon": {
        "activation": ["gelu", "relu"],
        "alibi": YES_OR_NO,
        "bias": YES_OR_NO,
        "ffn_hidden_size": [37],
        "layer_norm_epsilon": [1e-3],
        "multi_query": YES_OR_NO,
        "num_attention_heads": [3, 4, 12],
        "parallel_attn": YES_OR_NO,
        "rope_theta": [100.0],
    },
    "gemma": {"attention_bias": [True], "head_dim": [4, 6], "num_key_value_heads": [1, 2, 4]},
    "gemma2": {
        "attention_bias": [True],
        "attn_logit_softcapping": [None, 5.0],
        "final_logit_softcapping": [None, 5.0],
        "hidden_activation": ["gelu", "silu"],
        "query_pre_attn_scalar": [3, 50],
        "sliding_window": [3, 8],
    },
    "gemma3_text": {
        "attention_bias": [True],
        "final_logit_softcapping": [5.0],
        "query_pre_attn_scalar": [3, 50],
        "sliding_window": [3, 8],
        "sliding_window_pattern": [3],
    },
    "olmo": {
        "attention_bias": [True],
        "clip_qkv": [None, 0.5],
        "num_key_value_heads": [1, 2],
        "tie_word_embeddings": [True],
    },
    "olmo2": {
        "attention_bias": [True],
        "num_key_value_heads": [1, 4],
        "rope_scaling": [{"type": "linear", "factor": 2.0}],
        "tie_word_embeddings": [True],
    },
    "olmo3": {
        "attention_bias": [True],
        "num_key_value_heads": [1, 4],
        "sliding_window": [1, 3, 40],
        "tie_word_embeddings": [True],
    },
    "mixtral": {
        "head_dim": [4, 10],
        "num_experts_per_tok": [1, 3],
        "num_key_value_heads": [1, 4],
        "sliding_window": [None, 4],
        "tie_word_embeddings": [True],
    },
    "qwen2_moe": {
        "decoder_sparse_step": [2],
        "mlp_only_layers": [[], [0], [1, 2]],
        "norm_topk_prob": YES_OR_NO,
        "num_experts_per_tok": [1, 3],
        "qkv_bias": YES_OR_NO,
        "tie_word_embeddings": [True],
    },
    "qwen3_moe": {
        "attention_bias": [True],
        "decoder_sparse_step": [2],
        "mlp_only_layers": [[0], [1, 2]],
        "norm_topk_prob": YES_OR_NO,
        "num_experts_per_tok": [1, 3],
        "tie_word_embeddings": [True],
    },
    "deepseek_v2": {
        "attention_bias": [True],
        "first_k_dense_replace": [0, 2],
        "n_shared_experts": [1],
        "num_experts_per_tok": [1, 3],
        "q_lora_rank": [None, 9],
        "qk_rope_head_dim": [4],
        "rope_theta": [100.0],
        "routed_scaling_factor": [0.7, 3.0],
    },
    "deepseek_v3": {
        "attention_bias": [True],
        "first_k_dense_replace": [0, 2],
        "n_shared_experts": [1],
        "norm_topk_prob": YES_OR_NO,
        "num_experts_per_tok": [1, 3],
        "q_lora_rank": [None, 9],
        "qk_rope_head_dim": [4],
        "rope_interleave": YES_OR_NO,
        "rope_theta": [100.0],
        "routed_scaling_factor": [0.7, 3.0],
    },
    "bert": {
        "hidden_act": ACTIVATIONS,
        "layer_norm_eps": [1e-3],
        "num_attention_heads": [2, 3],
        "type_vocab_size": [1, 3],
    },
    "roberta": {"hidden_act": ACTIVATIONS, "layer_norm_eps": [1e-3], "num_attention_heads": [2]},
    "distilbert": {
        "activation": ["gelu", "relu"],
        "n_heads": [2, 4],
        "sinusoidal_pos_embds": [True],
    },
    "albert": {
        "embedding_size": [7, 24],
        "hidden_act": ACTIVATIONS,
        "inner_group_num": [1, 2],
        "num_hidden_groups": [1, 2, 3],
    },
    "electra": {"hidden_act": ACTIVATIONS, "embedding_size": [9, 24], "layer_norm_eps": [1e-3]},
    "vit": {
        "hidden_act": ACTIVATIONS,
        "image_size": [8, [8, 16]],
        "layer_norm_eps": [1e-3],
        "num_channels": [1, 4],
        "qkv_bias": [False],
    },
    "deit": {"hidden_act": ACTIVATIONS, "layer_norm_eps": [1e-3], "num_channels": [1, 3]},
    "t5": {
        "d_kv": [5, 6],
        "feed_forward_proj": ["relu", "gated-gelu", "gated-silu", "gelu"],
        "layer_norm_epsilon": [1e-3],
        "num_heads": [2, 3],
        "relative_attention_max_distance": [9, 40],
        "relative_attention_num_buckets": [4, 16],
        "tie_word_embeddings": YES_OR_NO,
    },
}


def consistent(config: Config) -> Config:
    """Options that were drawn apart, made to go with each other as the family's code demands."""
    heads, groups = config.get("num_attention_heads"), config.get("num_key_value_heads")
    if config["model_type"] == "falcon" and config.get("new_decoder_architecture"):
        config["num_attention_heads"] = 12
    elif heads is not None and groups is not None and heads % groups != 0:
        config["num_key_value_heads"] = heads
    if config["model_type"] == "albert":
        config["num_hidden_layers"] = 6
    return config


def llama_case(draw: random.Random, name: str) -> Case:
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
