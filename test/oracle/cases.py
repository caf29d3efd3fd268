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
    "gpt2",
    "gpt_bigcode",
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
    # Norms named gamma and beta, as in checkpoints that came from TensorFlow.
    is_old: bool = False
    # How many images it is evaluated on instead of documents.
    images: int = 0

    @property
    def is_tied(self) -> bool:
        # What transformers assumes where the config is silent depends on the family.
        unnamed = "nanogpt" if "model_args" in self.config else "mingpt"
        model_type = self.config.get("model_type", unnamed)
        return self.config.get("tie_word_embeddings", model_type in TIED_BY_DEFAULT)

    @property
    def vocabulary(self) -> int:
        return self.config.get("model_args", self.config)["vocab_size"]

    @property
    def seed_text(self) -> str:
        return self.weights_seed or self.name


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
    Case("gpt2", gpt2()),
    Case("gpt-bigcode", gpt_bigcode(multi_query=True)),
    Case("gpt-bigcode-multi-head", gpt_bigcode(multi_query=False, scale_attn_weights=False)),
    Case("nanogpt", {"model_args": {**SMALL_GPT, "bias": False, "dropout": 0.0}}),
    Case("mingpt", SMALL_GPT),
    # Documents of different lengths stand in one batch: none may see another's padding.
    Case("bert", bert(), document_lengths=(17, 9, 22)),
    # As the first releases stored it: the heads of both tasks, norms' gamma and beta.
    Case(
        "bert-pretraining",
        bert(architectures=["BertForPreTraining"], layer_norm_eps=1e-2),
        document_lengths=(12, 19),
        is_old=True,
    ),
    # The stack alone, whose pooler plays no part.
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
    # Six runs over two groups of layers.
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
    # Far enough for every bucket of distances.
    Case("t5-encoder", t5(), document_lengths=(26, 12)),
    Case("t5-encoder-relu", t5(d_kv=6, feed_forward_proj="relu", num_layers=2)),
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
