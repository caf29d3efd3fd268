"""The committed cases: one tiny checkpoint for each way the models that are read can differ."""

from dataclasses import dataclass
from typing import Any

Config = dict[str, Any]


TIED_BY_DEFAULT = (
    "albert",
    "bert",
    "bloom",
    "distilbert",
    "electra",
    "falcon",
    "gemma",
    "gemma2",
    "gemma3_text",
    "gpt2",
    "gpt_bigcode",
    "gpt_neo",
    "mpt",
    "nanogpt",
    "opt",
    "roberta",
    "starcoder2",
    "t5",
)


@dataclass(frozen=True)
class Case:
    name: str
    config: Config
    document_lengths: tuple[int, ...] = (17, 12, 20)
    dtype: str = "float32"
    shards: int = 1
    # Two cases with the same weights_seed and shapes hold the same weights and documents.
    weights_seed: str = ""
    # config.json as transformers 5 writes it: rope_parameters, dtype, layer_types.
    written_by_transformers: bool = False
    # Each expert's tensors by themselves, as transformers 4 named them, instead of all in two.
    experts_apart: bool = False
    # Norms named gamma and beta, as in checkpoints that came from TensorFlow.
    is_old: bool = False
    # What fathom.json beside it states; None: there is none.
    statement: Config | None = None
    # How many images it is evaluated on instead of documents.
    images: int = 0

    @property
    def is_tied(self) -> bool:
        # What transformers assumes where the config is silent depends on the family.
        unnamed = "nanogpt" if "n_head" in self.config.get("model_args", {}) else "mingpt"
        model_type = self.config.get("model_type", unnamed)
        return self.config.get("tie_word_embeddings", model_type in TIED_BY_DEFAULT)

    @property
    def vocabulary(self) -> int:
        return self.config.get("model_args", self.config.get("model", self.config))["vocab_size"]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images that a vision model reads."""
        config = self.config.get("model_args", self.config)
        size = config.get("img_size", config.get("image_size"))
        height, width = size if isinstance(size, list) else (size, size)
        return config.get("in_chans", config.get("num_channels", 3)), height, width

    @property
    def classes(self) -> int:
        return self.config.get("num_classes", len(self.config.get("id2label", ())))

    @property
    def seed_text(self) -> str:
        return self.weights_seed or self.name


def torch_decoder(**overrides: Any) -> Config:
    return {
        "activation": "gelu",
        "d_model": 24,
        "dim_feedforward": 40,
        "max_len": 64,
        "nhead": 4,
        "num_layers": 3,
        "vocab_size": 61,
        **overrides,
    }


def torch_decoder_statement(memory: str) -> Config:
    reading = {"embedding-scale": 1, "memory": memory, "epsilon": 1e-5}
    return {"reading": reading}


def llama(**overrides: Any) -> Config:
    """As Llama 2 wrote it: no rope_theta, no head_dim, no biases."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": 24,
        "intermediate_size": 40,
        "max_position_embeddings": 128,
        "num_attention_heads": 4,
        "num_hidden_layers": 4,
        "num_key_value_heads": 4,
        "rms_norm_eps": 1e-5,
        "rope_scaling": None,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "use_cache": True,
        "vocab_size": 72,
        **overrides,
    }


def without(config: Config, *keys: str) -> Config:
    return {key: value for key, value in config.items() if key not in keys}


def mistral(**overrides: Any) -> Config:
    return llama(
        architectures=["MistralForCausalLM"],
        model_type="mistral",
        num_key_value_heads=2,
        rope_theta=10000.0,
        **overrides,
    )


def qwen2(**overrides: Any) -> Config:
    return llama(
        architectures=["Qwen2ForCausalLM"],
        model_type="qwen2",
        num_key_value_heads=2,
        rms_norm_eps=1e-6,
        rope_theta=1000000.0,
        **overrides,
    )


def qwen3(**overrides: Any) -> Config:
    return llama(
        architectures=["Qwen3ForCausalLM"],
        model_type="qwen3",
        attention_bias=False,
        max_window_layers=3,
        num_key_value_heads=2,
        rms_norm_eps=1e-6,
        rope_theta=1000000.0,
        sliding_window=None,
        use_sliding_window=False,
        **overrides,
    )


def gpt2(**overrides: Any) -> Config:
    return {
        "architectures": ["GPT2LMHeadModel"],
        "activation_function": "gelu_new",
        "layer_norm_epsilon": 1e-5,
        "model_type": "gpt2",
        "n_embd": 24,
        "n_head": 4,
        "n_inner": None,
        "n_layer": 4,
        "n_positions": 128,
        "vocab_size": 72,
        **overrides,
    }


# nanoGPT's model_args, and minGPT's options.
SMALL_GPT = {"block_size": 64, "n_embd": 24, "n_head": 4, "n_layer": 3, "vocab_size": 72}


def gpt_bigcode(**overrides: Any) -> Config:
    return gpt2(
        architectures=["GPTBigCodeForCausalLM"],
        activation_function="gelu_pytorch_tanh",
        model_type="gpt_bigcode",
        n_layer=3,
        **overrides,
    )


def gpt_neo(**overrides: Any) -> Config:
    return {
        "architectures": ["GPTNeoForCausalLM"],
        "activation_function": "gelu_new",
        "attention_types": [[["global", "local"], 2]],
        "hidden_size": 24,
        "intermediate_size": None,
        "layer_norm_epsilon": 1e-5,
        "max_position_embeddings": 64,
        "model_type": "gpt_neo",
        "num_heads": 4,
        "num_layers": 4,
        "vocab_size": 72,
        "window_size": 256,
        **overrides,
    }


def gpt_neox(**overrides: Any) -> Config:
    """As Pythia wrote it."""
    return {
        **without(llama(), "num_key_value_heads", "rms_norm_eps", "rope_scaling"),
        "architectures": ["GPTNeoXForCausalLM"],
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "model_type": "gpt_neox",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "rotary_emb_base": 10000,
        "rotary_pct": 0.25,
        **overrides,
    }


def gptj(**overrides: Any) -> Config:
    return gpt2(
        architectures=["GPTJForCausalLM"],
        model_type="gptj",
        n_head=3,
        n_layer=3,
        rotary_dim=4,
        **overrides,
    )


def phi(**overrides: Any) -> Config:
    """As Phi-2 wrote it."""
    return {
        **without(llama(), "rms_norm_eps"),
        "architectures": ["PhiForCausalLM"],
        "hidden_act": "gelu_new",
        "layer_norm_eps": 1e-5,
        "model_type": "phi",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "num_key_value_heads": 3,
        "partial_rotary_factor": 0.5,
        "rope_theta": 10000.0,
        **overrides,
    }


def phi3(**overrides: Any) -> Config:
    return llama(
        architectures=["Phi3ForCausalLM"],
        model_type="phi3",
        num_attention_heads=3,
        num_hidden_layers=3,
        num_key_value_heads=1,
        original_max_position_embeddings=64,
        pad_token_id=0,
        rope_theta=10000.0,
        **overrides,
    )


def starcoder2(**overrides: Any) -> Config:
    return {
        **without(llama(), "rms_norm_eps", "tie_word_embeddings"),
        "architectures": ["Starcoder2ForCausalLM"],
        "hidden_act": "gelu_pytorch_tanh",
        "model_type": "starcoder2",
        "norm_epsilon": 1e-5,
        "num_hidden_layers": 3,
        "num_key_value_heads": 2,
        "rope_theta": 100000.0,
        "use_bias": True,
        **overrides,
    }


def stablelm(**overrides: Any) -> Config:
    return {
        **without(llama(), "rms_norm_eps"),
        "architectures": ["StableLmForCausalLM"],
        "layer_norm_eps": 1e-5,
        "model_type": "stablelm",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "num_key_value_heads": 3,
        "partial_rotary_factor": 0.25,
        "rope_theta": 10000.0,
        "use_qkv_bias": True,
        **overrides,
    }


def opt(**overrides: Any) -> Config:
    return {
        "_remove_final_layer_norm": False,
        "activation_function": "relu",
        "architectures": ["OPTForCausalLM"],
        "do_layer_norm_before": True,
        "ffn_dim": 40,
        "hidden_size": 24,
        "max_position_embeddings": 64,
        "model_type": "opt",
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "vocab_size": 72,
        "word_embed_proj_dim": 24,
        **overrides,
    }


def bloom(**overrides: Any) -> Config:
    return {
        "apply_residual_connection_post_layernorm": False,
        "architectures": ["BloomForCausalLM"],
        "hidden_size": 24,
        "layer_norm_epsilon": 1e-5,
        "model_type": "bloom",
        "n_head": 4,
        "n_layer": 3,
        "vocab_size": 72,
        **overrides,
    }


def mpt(**overrides: Any) -> Config:
    return {
        "architectures": ["MPTForCausalLM"],
        "attn_config": {"alibi": True, "alibi_bias_max": 8, "clip_qkv": None},
        "d_model": 24,
        "expansion_ratio": 4,
        "max_seq_len": 64,
        "model_type": "mpt",
        "n_heads": 4,
        "n_layers": 3,
        "no_bias": True,
        "norm_type": "low_precision_layernorm",
        "vocab_size": 72,
        **overrides,
    }


def falcon(**overrides: Any) -> Config:
    """As Falcon 7B wrote it."""
    return {
        "alibi": False,
        "architectures": ["FalconForCausalLM"],
        "bias": False,
        "hidden_size": 24,
        "layer_norm_epsilon": 1e-5,
        "model_type": "falcon",
        "multi_query": True,
        "new_decoder_architecture": False,
        "num_attention_heads": 6,
        "num_hidden_layers": 3,
        "parallel_attn": True,
        "vocab_size": 72,
        **overrides,
    }


def qwen(**overrides: Any) -> Config:
    """As Qwen 7B wrote it: the feed-forward has half of the stated width."""
    return {
        "architectures": ["QWenLMHeadModel"],
        "hidden_size": 24,
        "intermediate_size": 80,
        "kv_channels": 6,
        "layer_norm_epsilon": 1e-6,
        "max_position_embeddings": 64,
        "model_type": "qwen",
        "no_bias": True,
        "num_attention_heads": 4,
        "num_hidden_layers": 3,
        "rotary_emb_base": 10000,
        "rotary_pct": 1.0,
        "scale_attn_weights": True,
        "seq_length": 64,
        "tie_word_embeddings": False,
        "use_dynamic_ntk": True,
        "use_logn_attn": True,
        "vocab_size": 72,
        **overrides,
    }


def gemma(model_type: str = "gemma", **overrides: Any) -> Config:
    architectures = {"gemma": "Gemma", "gemma2": "Gemma2", "gemma3_text": "Gemma3"}
    activation = "hidden_act" if model_type == "gemma" else "hidden_activation"
    return without(
        llama(
            architectures=[f"{architectures[model_type]}ForCausalLM"],
            model_type=model_type,
            **{
                activation: "gelu_pytorch_tanh",
                "head_dim": 10,
                "num_key_value_heads": 2,
                "rms_norm_eps": 1e-6,
                **overrides,
            },
        ),
        *(() if model_type == "gemma" else ("hidden_act",)),
        "rope_scaling",
        "tie_word_embeddings",
    )


def olmo(**overrides: Any) -> Config:
    return without(
        llama(
            architectures=["OlmoForCausalLM"],
            model_type="olmo",
            num_hidden_layers=3,
            rope_theta=10000.0,
            **overrides,
        ),
        "rms_norm_eps",
    )


def olmo2(**overrides: Any) -> Config:
    return llama(
        architectures=["Olmo2ForCausalLM"],
        model_type="olmo2",
        num_hidden_layers=3,
        num_key_value_heads=2,
        rms_norm_eps=1e-6,
        rope_theta=500000.0,
        **overrides,
    )


def olmo3(**overrides: Any) -> Config:
    return {
        **olmo2(**overrides),
        "architectures": ["Olmo3ForCausalLM"],
        "model_type": "olmo3",
        "sliding_window": 5,
    }


def mixture(model_type: str, architecture: str, **overrides: Any) -> Config:
    """Few and small experts; every family names their number in its own way."""
    return llama(
        architectures=[f"{architecture}ForCausalLM"],
        model_type=model_type,
        **{
            "num_experts_per_tok": 2,
            "num_hidden_layers": 3,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-6,
            "rope_theta": 10000.0,
            **overrides,
        },
    )


def deepseek(version: int, **overrides: Any) -> Config:
    """Latent attention, a plain first layer, and scores that a longer context raises."""
    return mixture(
        f"deepseek_v{version}",
        f"DeepseekV{version}",
        **{
            "first_k_dense_replace": 1,
            "kv_lora_rank": 10,
            "moe_intermediate_size": 8,
            "n_group": 3,
            "n_routed_experts": 6,
            "n_shared_experts": 2,
            "num_key_value_heads": 4,
            "q_lora_rank": 12,
            "qk_nope_head_dim": 6,
            "qk_rope_head_dim": 8,
            "topk_group": 2,
            "v_head_dim": 7,
            "rope_scaling": {
                "beta_fast": 4,
                "beta_slow": 0.5,
                "factor": 8,
                "mscale": 0.707,
                "mscale_all_dim": 1.2,
                "original_max_position_embeddings": 16,
                "type": "yarn",
            },
            **overrides,
        },
    )


def bert(**overrides: Any) -> Config:
    return {
        "architectures": ["BertForMaskedLM"],
        "hidden_act": "gelu",
        "hidden_size": 24,
        "intermediate_size": 40,
        "layer_norm_eps": 1e-12,
        "mask_token_id": 3,
        "max_position_embeddings": 40,
        "model_type": "bert",
        "num_attention_heads": 4,
        "num_hidden_layers": 4,
        "pad_token_id": 0,
        "type_vocab_size": 2,
        "vocab_size": 72,
        **overrides,
    }


def vit(**overrides: Any) -> Config:
    return {
        "architectures": ["ViTForImageClassification"],
        "hidden_act": "gelu",
        "hidden_size": 24,
        "id2label": {str(label): f"LABEL_{label}" for label in range(7)},
        "image_size": [12, 16],
        "intermediate_size": 40,
        "layer_norm_eps": 1e-12,
        "model_type": "vit",
        "num_attention_heads": 4,
        "num_channels": 3,
        "num_hidden_layers": 3,
        "patch_size": 4,
        "qkv_bias": True,
        **overrides,
    }


def own_vit_statement(**reading: Any) -> Config:
    stated = {"norm": "pre-ln", "activation": "gelu", "gelu": "exact", "pool": "token"}
    return {"reading": {**stated, **reading}}


def course_vit(**overrides: Any) -> Config:
    return {
        "embedding_dim": 24,
        "img_size": 12,
        "in_channels": 3,
        "mlp_size": 40,
        "num_classes": 7,
        "num_heads": 4,
        "num_transformer_layers": 3,
        "patch_size": 4,
        **overrides,
    }


def torchvision_vit(**overrides: Any) -> Config:
    return {
        "hidden_dim": 24,
        "image_size": 8,
        "mlp_dim": 40,
        "num_classes": 7,
        "num_heads": 4,
        "num_layers": 3,
        "patch_size": 4,
        **overrides,
    }


def py_vit(**overrides: Any) -> Config:
    """Heads of another size than the stream's share of each."""
    return {
        "channels": 3,
        "depth": 3,
        "dim": 24,
        "dim_head": 8,
        "heads": 4,
        "image_size": 8,
        "mlp_dim": 40,
        "num_classes": 7,
        "patch_size": 4,
        **overrides,
    }


def timm(architecture: str, num_classes: int = 7, **model_args: Any) -> Config:
    """config.json as timm writes it for the Hub, of an architecture made small."""
    model_args = {
        "depth": 3,
        "embed_dim": 24,
        "img_size": [8, 12],
        "mlp_ratio": 2.0,
        "num_heads": 4,
        "patch_size": 4,
        **model_args,
    }
    return {
        "architecture": architecture,
        "num_classes": num_classes,
        "num_features": model_args["embed_dim"],
        "global_pool": model_args.get("global_pool", "token"),
        "model_args": model_args,
        "pretrained_cfg": {
            "custom_load": False,
            "input_size": [model_args.get("in_chans", 3), 224, 224],
            "mean": [0.5, 0.5, 0.5],
            "num_classes": num_classes,
            "std": [0.5, 0.5, 0.5],
        },
    }


def t5(**overrides: Any) -> Config:
    return {
        "architectures": ["T5EncoderModel"],
        "d_ff": 40,
        "d_kv": 8,
        "d_model": 24,
        "feed_forward_proj": "gated-gelu",
        "is_encoder_decoder": False,
        "layer_norm_epsilon": 1e-6,
        "model_type": "t5",
        "num_heads": 4,
        "num_layers": 3,
        "relative_attention_max_distance": 20,
        "relative_attention_num_buckets": 8,
        "vocab_size": 72,
        **overrides,
    }


def t5_decoder(**overrides: Any) -> Config:
    """More layers in the decoder, so that no stack can be taken for the other."""
    return {
        **t5(
            architectures=["T5ForConditionalGeneration"],
            decoder_start_token_id=0,
            eos_token_id=1,
            is_encoder_decoder=True,
            num_decoder_layers=3,
            num_layers=2,
            pad_token_id=0,
        ),
        **overrides,
    }


def sample(scheme: str) -> Config:
    """As the sample's train.py writes it; four layers, so that Mix-LN has one of its first kind."""
    return llama(
        head_dim=6,
        norm_scheme=scheme,
        rope_theta=10000.0,
        tie_word_embeddings=True,
        **({"norm_groups": 3} if scheme == "group-ln" else {}),
    )


# Head size 16 and an original context of 64 put the frequencies on all three branches of the
# llama3 rule: wavelength 6 is kept, 32 is interpolated, 167 and longer are divided by the factor.
LLAMA3_ROPE = {
    "factor": 8.0,
    "high_freq_factor": 4.0,
    "low_freq_factor": 1.0,
    "original_max_position_embeddings": 64,
}
LLAMA3 = llama(
    head_dim=16,
    num_hidden_layers=3,
    num_key_value_heads=2,
    rope_theta=500000.0,
    rope_scaling={**LLAMA3_ROPE, "rope_type": "llama3"},
)
QWEN2_SLIDING = qwen2(sliding_window=5, use_sliding_window=True, max_window_layers=2)

GEMMA3 = {
    **gemma(
        "gemma3_text",
        num_hidden_layers=3,
        query_pre_attn_scalar=12,
        rope_local_base_freq=100.0,
        rope_theta=5000.0,
        sliding_window=5,
        sliding_window_pattern=2,
    ),
    "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
}
MIXTRAL = mixture("mixtral", "Mixtral", intermediate_size=14, num_local_experts=5, rms_norm_eps=1e-5)
QWEN3_MOE = mixture(
    "qwen3_moe",
    "Qwen3Moe",
    head_dim=8,
    moe_intermediate_size=10,
    norm_topk_prob=True,
    num_experts=6,
)
OLMO_CORE = {
    "dataset": {"name": "fsl"},
    "model": {
        "_CLASS_": "olmo_core.nn.transformer.config.TransformerConfig",
        "name": "default",
        "d_model": 24,
        "vocab_size": 72,
        "n_layers": 4,
        "block": {
            "name": "default_scaled",
            "attention": {
                "name": "default",
                "n_heads": 4,
                "n_kv_heads": 2,
                "bias": False,
                "rope": {"name": "default", "theta": 500000, "full_precision": True},
                "clip_qkv": 1.5,
                "qk_norm": {"name": "rms", "eps": 1e-6, "bias": False},
            },
            "feed_forward": {"hidden_size": 40, "bias": False, "name": "default"},
            "layer_norm": {"name": "rms", "eps": 1e-6, "bias": False},
        },
        "lm_head": {
            "name": "default",
            "layer_norm": {"name": "rms", "eps": 1e-6, "bias": False},
            "bias": False,
        },
    },
}

DISTILBERT: Config = {
    "activation": "gelu",
    "architectures": ["DistilBertForMaskedLM"],
    "dim": 24,
    "hidden_dim": 40,
    "mask_token_id": 3,
    "max_position_embeddings": 40,
    "model_type": "distilbert",
    "n_heads": 3,
    "n_layers": 3,
    "pad_token_id": 0,
    "sinusoidal_pos_embds": False,
    "vocab_size": 72,
}


CASES: list[Case] = [
    # Llama 1 states no num_key_value_heads: as many as there are heads.
    Case("llama", without(llama(), "num_key_value_heads")),
    Case("llama3-rope-scaling", LLAMA3),
    Case("llama3-sharded", LLAMA3, shards=3, weights_seed="llama3-rope-scaling"),
    # The form transformers 5 writes: everything about rotation under rope_parameters.
    Case(
        "llama3-rope-parameters",
        without(
            llama(
                dtype="float32",
                head_dim=6,
                num_key_value_heads=2,
                rope_parameters={
                    **LLAMA3_ROPE,
                    "original_max_position_embeddings": 16,
                    "rope_theta": 500000.0,
                    "rope_type": "llama3",
                },
            ),
            "rope_scaling",
            "torch_dtype",
        ),
        document_lengths=(19, 11, 22),
    ),
    # An epsilon that can be seen in the numbers; the released 1e-5 and 1e-6 hardly can.
    Case(
        "llama-tied",
        llama(
            attention_bias=True,
            mlp_bias=True,
            num_key_value_heads=2,
            rms_norm_eps=1e-2,
            rope_theta=10000.0,
            tie_word_embeddings=True,
        ),
        document_lengths=(14, 20, 9, 13),
    ),
    Case("mistral", mistral(sliding_window=5), document_lengths=(17, 12, 21)),
    # The window is stated but switched off, as in every released Qwen2.5: it must be ignored.
    Case("qwen2", qwen2(sliding_window=4, use_sliding_window=False, max_window_layers=1)),
    Case("qwen2-sliding", QWEN2_SLIDING, document_lengths=(16, 13, 20)),
    Case(
        "qwen2-layer-types",
        QWEN2_SLIDING,
        document_lengths=(16, 13, 20),
        weights_seed="qwen2-sliding",
        written_by_transformers=True,
    ),
    Case("qwen3", qwen3(head_dim=10, num_hidden_layers=3, tie_word_embeddings=True)),
    Case(
        "deepseek-llm",
        llama(
            attention_bias=False,
            bos_token_id=70,
            eos_token_id=71,
            pretraining_tp=1,
            rms_norm_eps=1e-6,
            rope_theta=10000.0,
        ),
    ),
    Case("llama-lns", llama(layer_norm_scaling=True, num_key_value_heads=2)),
    Case("llama-bf16", llama(num_key_value_heads=1, torch_dtype="bfloat16"), dtype="bfloat16"),
    Case("llama-f16", llama(num_key_value_heads=2, torch_dtype="float16"), dtype="float16"),
    # One document: standard errors are over its tokens.
    Case("llama-one-document", llama(num_hidden_layers=2, vocab_size=64), document_lengths=(21,)),
    Case(
        "llama-yarn",
        llama(
            head_dim=16,
            num_hidden_layers=3,
            num_key_value_heads=2,
            rope_theta=10000.0,
            rope_scaling={
                "beta_fast": 4.0,
                "beta_slow": 0.5,
                "factor": 8.0,
                "original_max_position_embeddings": 64,
                "rope_type": "yarn",
            },
        ),
    ),
    Case("gpt2", gpt2()),
    # As the GPT-2s of Stanford's Mistral.
    Case(
        "gpt2-scaled-by-depth",
        gpt2(n_inner=40, scale_attn_by_inverse_layer_idx=True),
        document_lengths=(15, 11),
    ),
    Case("gpt-bigcode", gpt_bigcode(multi_query=True)),
    Case("gpt-bigcode-multi-head", gpt_bigcode(multi_query=False, scale_attn_weights=False)),
    # A window that hides some, and turns that are not the default's.
    Case(
        "gpt-neo",
        gpt_neo(
            attention_types=[[["local", "global"], 1], [["local"], 1]],
            num_layers=3,
            window_size=5,
        ),
    ),
    Case("gpt-neox", gpt_neox()),
    # As transformers 5 writes it, and with what no released model has.
    Case(
        "gpt-neox-sequential",
        gpt_neox(attention_bias=False, rotary_pct=1.0, use_parallel_residual=False),
        written_by_transformers=True,
    ),
    Case("gpt-j", gptj()),
    Case("phi", phi()),
    Case(
        "phi-head-norms",
        phi(
            num_attention_heads=6,
            num_key_value_heads=2,
            partial_rotary_factor=1.0,
            qk_layernorm=True,
        ),
        written_by_transformers=True,
    ),
    Case("phi3", phi3()),
    Case(
        "phi3-longrope",
        phi3(
            partial_rotary_factor=0.75,
            rope_scaling={
                "long_factor": [1.5, 4.0, 9.0],
                "short_factor": [1.05, 1.3, 2.5],
                "type": "longrope",
            },
            sliding_window=6,
        ),
    ),
    Case("starcoder2", starcoder2(sliding_window=5)),
    Case("stablelm", stablelm()),
    Case(
        "stablelm-parallel",
        stablelm(
            num_attention_heads=6,
            num_key_value_heads=2,
            partial_rotary_factor=0.5,
            qk_layernorm=True,
            use_parallel_residual=True,
            use_qkv_bias=False,
        ),
    ),
    Case("opt", opt()),
    # As OPT 350M: Post-LN, and an embedding of fewer channels than the stream has.
    Case("opt-projected", opt(do_layer_norm_before=False, word_embed_proj_dim=16)),
    # As Galactica: nothing is learned but matrices.
    Case(
        "opt-galactica",
        opt(
            activation_function="gelu",
            enable_bias=False,
            layer_norm_elementwise_affine=False,
            num_hidden_layers=2,
        ),
        document_lengths=(15, 11),
    ),
    Case("bloom", bloom()),
    # Numbers of heads that are no power of two.
    Case("bloom-six-heads", bloom(n_head=6), document_lengths=(15, 11)),
    Case("mpt", mpt()),
    Case(
        "mpt-clipped",
        mpt(attn_config={"clip_qkv": 0.8, "softmax_scale": 0.3}, n_heads=6),
    ),
    Case("falcon", falcon()),
    Case("falcon-new", falcon(bias=True, new_decoder_architecture=True, num_kv_heads=2)),
    Case(
        "falcon-new-one-norm",
        falcon(new_decoder_architecture=True, num_kv_heads=3, num_ln_in_parallel_attn=1),
        document_lengths=(15, 11),
    ),
    # As RefinedWeb's models; twelve heads have slopes whose rounding shows.
    Case(
        "falcon-alibi",
        falcon(
            alibi=True,
            bias=True,
            multi_query=False,
            num_attention_heads=12,
            parallel_attn=False,
        ),
    ),
    Case("qwen", qwen()),
    Case("nanogpt", {"model_args": {**SMALL_GPT, "bias": False, "dropout": 0.0}}),
    Case("mingpt", SMALL_GPT),
    # Told from names and shapes; what its cross-attention reads must be stated.
    Case(
        "torch-decoder",
        torch_decoder(memory="causal", norm_first=True),
        statement=torch_decoder_statement("causal"),
    ),
    Case(
        "torch-decoder-zeros",
        torch_decoder(memory="zeros", norm_first=False, activation="relu"),
        statement=torch_decoder_statement("zeros"),
    ),
    Case(
        "torch-decoder-whole",
        torch_decoder(memory="whole", norm_first=False, num_layers=2),
        document_lengths=(15, 11),
        statement=torch_decoder_statement("whole"),
    ),
    # The released configs of Gemma say "gelu" for its approximation.
    Case("gemma", gemma(hidden_act="gelu", num_key_value_heads=1, num_hidden_layers=3)),
    # Caps that bend the numbers, and windows that hide some.
    Case(
        "gemma2",
        gemma(
            "gemma2",
            attn_logit_softcapping=2.0,
            final_logit_softcapping=3.0,
            num_hidden_layers=3,
            query_pre_attn_scalar=7,
            sliding_window=5,
        ),
    ),
    # As released: local layers with a base of their own, a stretched global one.
    Case("gemma3", GEMMA3),
    # As transformers 5 writes it: rope_parameters by kind of layer.
    Case("gemma3-rope-parameters", GEMMA3, weights_seed="gemma3", written_by_transformers=True),
    # Clamped where it can be seen, within what random projections reach.
    Case("olmo", olmo(clip_qkv=0.8)),
    Case("olmo2", olmo2()),
    # The stretch is of the global layer alone.
    Case(
        "olmo3",
        olmo3(
            layer_types=["sliding_attention", "full_attention", "sliding_attention"],
            rope_scaling={
                "beta_fast": 4.0,
                "beta_slow": 0.5,
                "factor": 8.0,
                "original_max_position_embeddings": 16,
                "rope_type": "yarn",
            },
        ),
    ),
    # In OLMo-core's own layout, with LayerNorm Scaling's factors as buffers.
    Case("olmo-core-lns", OLMO_CORE),
    Case("mixtral", MIXTRAL, experts_apart=True),
    Case("mixtral-fused", MIXTRAL, weights_seed="mixtral"),
    # A plain layer among those with experts, and weights that do not sum to 1.
    Case(
        "qwen2-moe",
        mixture(
            "qwen2_moe",
            "Qwen2Moe",
            mlp_only_layers=[1],
            moe_intermediate_size=10,
            norm_topk_prob=False,
            num_experts=6,
            shared_expert_intermediate_size=14,
        ),
        experts_apart=True,
    ),
    Case("qwen3-moe", QWEN3_MOE, experts_apart=True),
    Case("qwen3-moe-fused", QWEN3_MOE, weights_seed="qwen3-moe"),
    # As V2-Lite: queries straight from the stream, experts from any group, no yarn.
    Case(
        "deepseek-v2-lite",
        deepseek(
            2,
            q_lora_rank=None,
            rope_scaling=None,
            routed_scaling_factor=1.0,
            topk_method="greedy",
        ),
        experts_apart=True,
    ),
    Case(
        "deepseek-v2",
        deepseek(2, routed_scaling_factor=1.6, topk_method="group_limited_greedy"),
    ),
    Case(
        "deepseek-v3",
        deepseek(3, norm_topk_prob=True, routed_scaling_factor=2.5),
        experts_apart=True,
    ),
    Case("bert", bert(), document_lengths=(17, 9, 22)),
    Case(
        "bert-pretraining",
        bert(architectures=["BertForPreTraining"], layer_norm_eps=1e-2),
        document_lengths=(12, 19),
        is_old=True,
    ),
    Case("bert-stack", bert(architectures=["BertModel"], num_hidden_layers=3)),
    Case(
        "roberta",
        bert(
            architectures=["RobertaForMaskedLM"],
            model_type="roberta",
            pad_token_id=1,
            tie_word_embeddings=False,
            type_vocab_size=1,
        ),
    ),
    Case("distilbert", DISTILBERT),
    Case(
        "albert",
        bert(
            architectures=["AlbertForMaskedLM"],
            embedding_size=10,
            hidden_act="gelu_new",
            model_type="albert",
            num_hidden_groups=2,
            num_hidden_layers=6,
        ),
    ),
    Case(
        "electra",
        bert(
            architectures=["ElectraForMaskedLM"],
            embedding_size=14,
            hidden_act="relu",
            model_type="electra",
            num_hidden_layers=3,
        ),
    ),
    Case(
        "electra-discriminator",
        bert(
            architectures=["ElectraForPreTraining"],
            embedding_size=24,
            model_type="electra",
            num_hidden_layers=3,
        ),
    ),
    Case("vit", vit(), images=6),
    Case(
        "deit",
        vit(
            architectures=["DeiTForImageClassification"],
            image_size=12,
            model_type="deit",
            num_channels=1,
            patch_size=[3, 4],
            qkv_bias=False,
        ),
        images=4,
    ),
    Case(
        "deit-distilled",
        vit(
            architectures=["DeiTForImageClassificationWithTeacher"],
            image_size=8,
            model_type="deit",
            num_hidden_layers=2,
        ),
        images=4,
    ),
    Case(
        "course-vit",
        course_vit(),
        images=4,
        statement=own_vit_statement(epsilon=1e-5),
    ),
    Case(
        "torchvision-vit",
        torchvision_vit(),
        images=4,
        statement=own_vit_statement(epsilon=1e-6),
    ),
    Case(
        "py-vit",
        py_vit(),
        images=4,
        statement=own_vit_statement(epsilon=1e-5, fused="thirds", pixels="channels-last", scale="head"),
    ),
    Case("timm-vit", timm("vit_base_patch16_224"), images=5),
    Case("timm-deit-distilled", timm("deit_tiny_distilled_patch16_224", depth=2), images=4),
    # LayerScale, register tokens, and positions of the patches alone; its norm is of the mean.
    Case(
        "timm-vit-registers",
        timm(
            "vit_medium_patch16_reg4_gap_256",
            depth=2,
            fc_norm=True,
            global_pool="avg",
            init_values=0.1,
            no_embed_class=True,
            qk_norm=True,
            reg_tokens=2,
        ),
        images=4,
    ),
    # No class token, and the mean of normed states.
    Case(
        "timm-vit-mean",
        timm(
            "vit_medium_patch16_gap_240",
            class_token=False,
            depth=2,
            fc_norm=False,
            global_pool="avg",
            qkv_bias=False,
        ),
        images=4,
    ),
    Case(
        "timm-vit-clip",
        timm("vit_base_patch32_clip_quickgelu_224", depth=2, in_chans=1, pre_norm=True),
        images=4,
    ),
    Case(
        "timm-vit-reordered",
        timm("vit_base_patch16_rpn_224", depth=2, class_token=True, global_pool="token"),
        images=4,
    ),
    Case("t5-encoder", t5(), document_lengths=(26, 12)),
    Case("t5-encoder-relu", t5(d_kv=6, feed_forward_proj="relu", num_layers=2)),
    # Of so many tokens the decoder reads 14, 9 and 17, far enough for buckets of several distances.
    Case(
        "t5-decoder",
        t5_decoder(d_kv=6, feed_forward_proj="relu"),
        document_lengths=(66, 40, 81),
    ),
    Case(
        "t5-v1_1-decoder",
        t5_decoder(d_ff=24, num_layers=1, tie_word_embeddings=False),
        document_lengths=(81, 53),
    ),
    # Every other norm scheme, in the sample's training code.
    *(
        Case(f"scheme-{scheme}", sample(scheme), document_lengths=(15, 11))
        for scheme in (
            "post-ln",
            "deepnorm",
            "mix-ln",
            "sandwich",
            "reordered",
            "layerscale",
            "scaled-init",
            "admin",
            "group-ln",
            "parallel",
        )
    ),
]
