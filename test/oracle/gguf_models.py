"""Writes test/fixtures-gguf: fixtures converted to GGUF by the names and keys of llama.cpp's own package,
with what its convert_hf_to_gguf.py does to tensors.

    pip install gguf==0.19.0 safetensors numpy
    python test/oracle/gguf_models.py

Beside each file its `.json` states what of the fixture's config.json was changed, where the format can not
state what the fixture has.
"""

import json
import math
import pathlib
import re
import shutil
from dataclasses import dataclass, field
from typing import Any, Callable

import gguf
import numpy as np
from gguf import MODEL_ARCH, GGUFWriter
from safetensors.numpy import load_file

ROOT = pathlib.Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
OUT = ROOT / "fixtures-gguf"

Config = dict[str, Any]
Tensors = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    fixture: str
    arch: MODEL_ARCH
    keys: Callable[[GGUFWriter, Config], None]
    undo: Callable[[Tensors, Config], Tensors] = lambda tensors, _: tensors
    changes: Config = field(default_factory=dict)


def first(config: Config, *names: str) -> Any:
    for name in names:
        if config.get(name) is not None:
            return config[name]
    return None


def common(writer: GGUFWriter, config: Config) -> None:
    """TextModel.set_gguf_parameters."""
    writer.add_block_count(first(config, "num_hidden_layers", "n_layer", "n_layers", "num_layers"))
    hidden = first(config, "hidden_size", "n_embd", "d_model")
    writer.add_embedding_length(hidden)
    inner = first(config, "intermediate_size", "n_inner", "ffn_hidden_size", "d_ff") or 4 * hidden
    writer.add_feed_forward_length(inner)
    writer.add_head_count(first(config, "num_attention_heads", "n_head", "n_heads", "num_heads"))
    length = first(config, "max_position_embeddings", "n_positions", "seq_length", "max_seq_len")
    if length is not None:
        writer.add_context_length(length)
    if (heads := first(config, "num_key_value_heads", "num_kv_heads")) is not None:
        writer.add_head_count_kv(heads)
    if (theta := first(config, "rope_theta")) is not None:
        writer.add_rope_freq_base(theta)
    if (epsilon := first(config, "rms_norm_eps")) is not None:
        writer.add_layer_norm_rms_eps(epsilon)
    if (epsilon := first(config, "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon")) is not None:
        writer.add_layer_norm_eps(epsilon)
    if (count := first(config, "num_local_experts", "num_experts")) is not None:
        writer.add_expert_count(count)
    if (count := first(config, "num_experts_per_tok")) is not None:
        writer.add_expert_used_count(count)
    if (size := first(config, "head_dim")) is not None:
        writer.add_key_length(size)
        writer.add_value_length(size)
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(scaling["factor"])
    if kind == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(scaling["factor"])
        writer.add_rope_scaling_orig_ctx_len(scaling["original_max_position_embeddings"])
        if "beta_fast" in scaling:
            writer.add_rope_scaling_yarn_beta_fast(scaling["beta_fast"])
            writer.add_rope_scaling_yarn_beta_slow(scaling["beta_slow"])


def rotated(writer: GGUFWriter, config: Config) -> None:
    share = first(config, "partial_rotary_factor", "rotary_pct")
    size = config["hidden_size"] // config["num_attention_heads"]
    writer.add_rope_dimension_count(int((1 if share is None else share) * size))


def also(*writers: Callable[[GGUFWriter, Config], None]) -> Callable[[GGUFWriter, Config], None]:
    def write(writer: GGUFWriter, config: Config) -> None:
        for one in (common, *writers):
            one(writer, config)

    return write


# What the conversion does to tensors.


def neighbours(weight: np.ndarray, heads: int) -> np.ndarray:
    """LlamaModel.permute."""
    pairs = weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return pairs.swapaxes(1, 2).reshape(weight.shape)


def permuted(tensors: Tensors, config: Config) -> Tensors:
    heads = config["num_attention_heads"]
    shared = config.get("num_key_value_heads") or heads
    done = dict(tensors)
    for name, tensor in tensors.items():
        if "q_proj" in name:
            done[name] = neighbours(tensor, heads)
        if "k_proj" in name:
            done[name] = neighbours(tensor, shared)
    if (scaling := config.get("rope_scaling")) and scaling.get("rope_type") == "llama3":
        done["rope_freqs.weight"] = llama3_factors(config, scaling)
    return done


def llama3_factors(config: Config, scaling: Config) -> np.ndarray:
    size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    frequencies = 1 / config["rope_theta"] ** (np.arange(0, size, 2) / size)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    factors = []
    for frequency in frequencies:
        turns = scaling["original_max_position_embeddings"] * frequency / (2 * math.pi)
        kept = min(1, max(0, (turns - low) / (high - low)))
        factors.append(1 / ((1 - kept) / scaling["factor"] + kept))
    return np.array(factors, np.float32)


def experts_stacked(tensors: Tensors, config: Config) -> Tensors:
    done: Tensors = {}
    stacks: dict[str, dict[int, np.ndarray]] = {}
    for name, tensor in tensors.items():
        before, found, after = name.partition(".experts.")
        index, _, rest = after.partition(".")
        if found and index.isdecimal():
            # The names that the conversion gives to what it stacks.
            if "block_sparse_moe" in before:
                merged = before.replace("model.", "").replace("block_sparse_moe", "feed_forward")
            else:
                merged = before
            stacks.setdefault(f"{merged}.experts.{rest}", {})[int(index)] = tensor
        elif after == "gate_up_proj":
            half = tensor.shape[1] // 2
            done[f"{before}.experts.gate_proj.weight"] = tensor[:, :half]
            done[f"{before}.experts.up_proj.weight"] = tensor[:, half:]
        elif after == "down_proj":
            done[f"{before}.experts.down_proj.weight"] = tensor
        else:
            done[name.replace("e_score_correction_bias", "e_score_correction.bias")] = tensor
    for name, stack in stacks.items():
        done[name] = np.stack([stack[index] for index in range(len(stack))])
    return done


def one_more(tensors: Tensors, config: Config) -> Tensors:
    return {
        name: tensor + 1 if name.endswith("norm.weight") else tensor
        for name, tensor in tensors.items()
    }


def by_kind(tensors: Tensors, config: Config) -> Tensors:
    """All queries, all keys, all values, of a fused projection by key-value head."""
    heads = first(config, "num_attention_heads", "n_head")
    shared = first(config, "num_kv_heads")
    if shared is None:
        shared = 1 if config["model_type"] == "falcon" else heads
    done = dict(tensors)
    for name, tensor in tensors.items():
        if "query_key_value" in name:
            size = tensor.shape[0] // (heads + 2 * shared)
            runs = tensor.reshape(shared, heads // shared + 2, size, *tensor.shape[1:])
            kinds = (runs[:, :-2], runs[:, -2:-1], runs[:, -1:])
            done[name] = np.concatenate([kind.reshape(-1, *tensor.shape[1:]) for kind in kinds])
    return done


def transposed(tensors: Tensors, config: Config) -> Tensors:
    ends = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    return {
        name: np.ascontiguousarray(tensor.T) if name.endswith(ends) else tensor
        for name, tensor in tensors.items()
    }


def heads_stacked(tensors: Tensors, config: Config) -> Tensors:
    done: Tensors = {}
    stacks: dict[str, dict[int, np.ndarray]] = {}
    for name, tensor in tensors.items():
        before, found, after = name.partition(".norms.")
        if found:
            stacks.setdefault(f"{before}.weight", {})[int(after.split(".")[0])] = tensor
        else:
            done[name] = tensor
    for name, stack in stacks.items():
        done[name] = np.stack([stack[index] for index in range(len(stack))])
    return done


def latent_by_head(tensors: Tensors, config: Config) -> Tensors:
    """DeepseekV2Model: keys and values of the latent apart, and keys transposed."""
    heads, keys = config["num_attention_heads"], config["qk_nope_head_dim"]
    done: Tensors = {}
    for name, tensor in experts_stacked(tensors, config).items():
        if name.endswith("kv_b_proj.weight"):
            both = tensor.reshape(heads, keys + config["v_head_dim"], tensor.shape[-1])
            done[name.replace("kv_b", "k_b")] = np.ascontiguousarray(
                both[:, :keys].swapaxes(1, 2)
            )
            done[name.replace("kv_b", "v_b")] = np.ascontiguousarray(both[:, keys:])
        else:
            done[name] = tensor
    return done


def without_head(tensors: Tensors, config: Config) -> Tensors:
    """BertModel: the head and what is not needed are left out."""
    left = ("cls.", "pooler.", "embeddings.position_ids")
    plain = {name.removeprefix("bert."): tensor for name, tensor in tensors.items()}
    return {name: tensor for name, tensor in plain.items() if not name.startswith(left)}


def long_rope(tensors: Tensors, config: Config) -> Tensors:
    scaling = config.get("rope_scaling") or {}
    done = dict(tensors)
    for length in ("long", "short"):
        if f"{length}_factor" in scaling:
            factors = np.array(scaling[f"{length}_factor"], np.float32)
            done[f"rope_factors_{length}.weight"] = factors
    return done


def no_copies(tensors: Tensors, config: Config) -> Tensors:
    left = {f"{stack}.embed_tokens.weight" for stack in ("encoder", "decoder")}
    return {name: tensor for name, tensor in tensors.items() if name not in left}


# Keys of single architectures.


def write_phi3(writer: GGUFWriter, config: Config) -> None:
    rotated(writer, config)
    original = config["original_max_position_embeddings"]
    writer.add_rope_scaling_orig_ctx_len(original)
    writer.add_sliding_window(config.get("sliding_window") or 0)
    if config.get("rope_scaling"):
        stretch = config["max_position_embeddings"] / original
        writer.add_rope_scaling_attn_factors(
            math.sqrt(1 + math.log(stretch) / math.log(original)) if stretch > 1 else 1.0
        )


def write_qwen_moe(writer: GGUFWriter, config: Config) -> None:
    writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    if (size := config.get("shared_expert_intermediate_size")) is not None:
        writer.add_expert_shared_feed_forward_length(size)


def write_gemma2(writer: GGUFWriter, config: Config) -> None:
    writer.add_attn_logit_softcapping(config["attn_logit_softcapping"])
    writer.add_final_logit_softcapping(config["final_logit_softcapping"])
    writer.add_sliding_window(config["sliding_window"])


def write_deepseek(writer: GGUFWriter, config: Config) -> None:
    writer.add_leading_dense_block_count(config["first_k_dense_replace"])
    if config["q_lora_rank"] is not None:
        writer.add_q_lora_rank(config["q_lora_rank"])
    writer.add_kv_lora_rank(config["kv_lora_rank"])
    writer.add_key_length(config["kv_lora_rank"] + config["qk_rope_head_dim"])
    writer.add_value_length(config["kv_lora_rank"])
    writer.add_key_length_mla(config["qk_nope_head_dim"] + config["qk_rope_head_dim"])
    writer.add_value_length_mla(config["v_head_dim"])
    writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
    writer.add_expert_count(config["n_routed_experts"])
    writer.add_expert_shared_count(config["n_shared_experts"])
    writer.add_expert_weights_scale(config["routed_scaling_factor"])
    writer.add_expert_weights_norm(config.get("norm_topk_prob", False))
    kind = gguf.ExpertGatingFuncType
    isSigmoid = config["model_type"] == "deepseek_v3"
    writer.add_expert_gating_func(kind.SIGMOID if isSigmoid else kind.SOFTMAX)
    writer.add_expert_group_count(config["n_group"])
    writer.add_expert_group_used_count(config["topk_group"])
    writer.add_rope_dimension_count(config["qk_rope_head_dim"])
    if config.get("rope_scaling"):
        writer.add_rope_scaling_yarn_log_mul(0.1 * config["rope_scaling"]["mscale_all_dim"])


def write_mpt(writer: GGUFWriter, config: Config) -> None:
    options = config["attn_config"]
    writer.add_max_alibi_bias(options.get("alibi_bias_max", 8))
    if options.get("clip_qkv") is not None:
        writer.add_clamp_kqv(options["clip_qkv"])
    writer.add_layer_norm_eps(config.get("layer_norm_epsilon", 1e-5))


def write_t5(writer: GGUFWriter, config: Config) -> None:
    writer.add_key_length(config["d_kv"])
    writer.add_value_length(config["d_kv"])
    writer.add_relative_attn_buckets_count(config["relative_attention_num_buckets"])
    writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])


def write_whole_t5(writer: GGUFWriter, config: Config) -> None:
    write_t5(writer, config)
    writer.add_decoder_block_count(config["num_decoder_layers"])
    writer.add_decoder_start_token_id(config["decoder_start_token_id"])
    writer.add_eos_token_id(config["eos_token_id"])


def write_gptj(writer: GGUFWriter, config: Config) -> None:
    writer.add_rope_dimension_count(config["rotary_dim"])


def write_olmo(writer: GGUFWriter, config: Config) -> None:
    writer.add_layer_norm_eps(1e-5)
    writer.add_clamp_kqv(config["clip_qkv"])


def write_starcoder(writer: GGUFWriter, config: Config) -> None:
    writer.add_head_count_kv(1)


def write_qwen(writer: GGUFWriter, config: Config) -> None:
    writer.add_rope_freq_base(config["rotary_emb_base"])
    writer.add_rope_dimension_count(config["kv_channels"])
    writer.add_layer_norm_rms_eps(config["layer_norm_epsilon"])


def write_bert(writer: GGUFWriter, config: Config) -> None:
    writer.add_causal_attention(False)
    writer.add_mask_token_id(config["mask_token_id"])


def parallel(writer: GGUFWriter, config: Config) -> None:
    writer.add_parallel_residual(config.get("use_parallel_residual", True))


A = MODEL_ARCH
YARN = {"beta_fast": 4, "beta_slow": 0.5, "factor": 8, "mscale": 1.2, "mscale_all_dim": 1.2,
        "original_max_position_embeddings": 16, "type": "yarn"}  # fmt: skip

CASES = [
    Case("llama3-rope-scaling", A.LLAMA, common, permuted),
    Case("llama-yarn", A.LLAMA, common, permuted),
    Case("mixtral", A.LLAMA, common, lambda t, c: experts_stacked(permuted(t, c), c)),
    Case("qwen2", A.QWEN2, common),
    Case("qwen3", A.QWEN3, common),
    Case(
        "qwen2-moe",
        A.QWEN2MOE,
        also(write_qwen_moe),
        experts_stacked,
        # The layer after it has no experts, which the format does not know.
        {"num_hidden_layers": 1, "mlp_only_layers": []},
    ),
    Case("qwen3-moe", A.QWEN3MOE, also(write_qwen_moe), experts_stacked),
    Case("gemma", A.GEMMA, common, one_more),
    Case(
        "gemma2", A.GEMMA2, also(write_gemma2), one_more, {"query_pre_attn_scalar": 10}
    ),
    Case(
        "gemma3",
        A.GEMMA3,
        also(lambda writer, config: writer.add_sliding_window(config["sliding_window"])),
        one_more,
        {
            "query_pre_attn_scalar": 10,
            "rope_local_base_freq": 10_000.0,
            "sliding_window_pattern": 6,
        },
    ),
    Case("olmo", A.OLMO, also(write_olmo), permuted),
    Case("olmo2", A.OLMO2, common),
    Case("deepseek-v2", A.DEEPSEEK2, also(write_deepseek), latent_by_head, {"rope_scaling": YARN}),
    Case("deepseek-v3", A.DEEPSEEK2, also(write_deepseek), latent_by_head, {"rope_scaling": YARN}),
    Case(
        "deepseek-v2-lite",
        A.DEEPSEEK2,
        also(write_deepseek),
        experts_stacked,
        {"n_group": 1, "topk_group": 1},
    ),
    Case("gpt2", A.GPT2, common, transposed),
    Case("gpt-bigcode", A.STARCODER, also(write_starcoder)),
    Case("gpt-neox", A.GPTNEOX, also(rotated, parallel), by_kind),
    Case("gpt-neox-sequential", A.GPTNEOX, also(rotated, parallel), by_kind),
    Case("gpt-j", A.GPTJ, also(write_gptj)),
    Case(
        "bloom",
        A.BLOOM,
        common,
        lambda t, c: {n.removeprefix("transformer."): w for n, w in by_kind(t, c).items()},
        {"seq_length": 64},
    ),
    Case("falcon", A.FALCON, also(write_starcoder), by_kind, {"max_position_embeddings": 2048}),
    Case("falcon-new", A.FALCON, common, by_kind, {"max_position_embeddings": 2048}),
    Case("falcon-new-one-norm", A.FALCON, common, by_kind, {"max_position_embeddings": 2048}),
    Case("mpt", A.MPT, also(write_mpt)),
    Case(
        "mpt-clipped", A.MPT, also(write_mpt), changes={"attn_config": {"clip_qkv": 0.8}}
    ),
    Case("phi", A.PHI2, also(rotated)),
    Case("phi3", A.PHI3, also(write_phi3)),
    Case("phi3-longrope", A.PHI3, also(write_phi3), long_rope),
    Case("stablelm", A.STABLELM, also(rotated, parallel)),
    Case("stablelm-parallel", A.STABLELM, also(rotated, parallel), heads_stacked),
    Case("starcoder2", A.STARCODER2, common, changes={"sliding_window": None}),
    Case("qwen", A.QWEN, also(write_qwen)),
    Case("bert-stack", A.BERT, also(write_bert), without_head),
    Case(
        "t5-encoder",
        A.T5ENCODER,
        also(write_t5),
        no_copies,
        {"relative_attention_max_distance": 128},
    ),
    Case(
        "t5-encoder-relu",
        A.T5,
        also(write_t5),
        no_copies,
        {"relative_attention_max_distance": 128},
    ),
    *(
        Case(
            fixture,
            A.T5,
            also(write_whole_t5),
            no_copies,
            {"relative_attention_max_distance": 128},
        )
        for fixture in ("t5-decoder", "t5-v1_1-decoder")
    ),
]


def weights(folder: pathlib.Path, config: Config) -> Tensors:
    """The fixture's, of as many layers as the config states."""
    layers = config.get("num_hidden_layers")
    beyond = re.compile(r"^model\.layers\.(\d+)\.")

    def is_held(name: str) -> bool:
        found = beyond.match(name)
        return found is None or int(found[1]) < layers

    files = sorted(folder.glob("*.safetensors"))
    tensors = {name: tensor for file in files for name, tensor in load_file(file).items()}
    return {name: tensor for name, tensor in tensors.items() if is_held(name)}


def write(path: pathlib.Path, case: Case, config: Config, tensors: Tensors) -> None:
    writer = GGUFWriter(path, gguf.MODEL_ARCH_NAMES[case.arch])
    case.keys(writer, config)
    layers = first(config, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
    layers = max(layers, config.get("num_decoder_layers") or 0)
    names = gguf.get_tensor_name_map(case.arch, layers)
    for name, tensor in case.undo(tensors, config).items():
        own = name if name.startswith("rope_") else names.get_name(name, (".weight", ".bias"))
        if own is None:
            raise ValueError(f"{case.fixture}: no name for {name}")
        writer.add_tensor(own, np.ascontiguousarray(tensor.astype(np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    for case in CASES:
        folder = FIXTURES / case.fixture
        config = {**json.loads((folder / "config.json").read_text()), **case.changes}
        write(OUT / f"{case.fixture}.gguf", case, config, weights(folder, config))
        (OUT / f"{case.fixture}.json").write_text(json.dumps(case.changes) + "\n")


if __name__ == "__main__":
    main()
