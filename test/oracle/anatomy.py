"""Where a model keeps what the reference hooks into: its layers, and the parts of their sublayers."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Sublayer:
    """x ↦ sum_norm(stream_scale · x + branch_scale · branch(…))."""

    # The last module on the way from the stream to the sum: what it returns is added.
    branch: nn.Module
    branch_scale: Tensor | float = 1.0
    stream_scale: Tensor | float = 1.0
    sum_norm: nn.Module | None = None


@dataclass
class Anatomy:
    layers: list[nn.Module]
    # Module path of a layer, by its index.
    path: str
    # Logits [1, tokens, vocabulary] of token ids [1, tokens].
    logits: Callable[[Tensor], Tensor]
    attention: Callable[[nn.Module], Sublayer]
    feed_forward: Callable[[nn.Module], Sublayer]


def llama(model: nn.Module) -> Anatomy:
    """Hugging Face's LLaMA lineage: Pre-LN; LayerNorm Scaling is added from outside."""
    layers = list(model.model.layers)
    if getattr(model.config, "layer_norm_scaling", False):
        for index, layer in enumerate(layers):
            scale = 1 / math.sqrt(index + 1)
            for norm in (layer.input_layernorm, layer.post_attention_layernorm):
                norm.register_forward_hook(lambda _m, _i, output, s=scale: output * s)
    return Anatomy(
        layers,
        "model.layers.{}",
        lambda ids: model(input_ids=ids, use_cache=False).logits,
        lambda layer: Sublayer(layer.self_attn),
        lambda layer: Sublayer(layer.mlp),
    )


def named(
    layers: str, attention: str, feed_forward: str
) -> Callable[[nn.Module], Anatomy]:
    """A model of transformers, by the paths of its layers and, within these, of what is added."""

    def describe(model: nn.Module) -> Anatomy:
        return Anatomy(
            list(model.get_submodule(layers)),
            layers + ".{}",
            lambda ids: model(input_ids=ids, use_cache=False).logits,
            lambda layer: Sublayer(layer.get_submodule(attention)),
            lambda layer: Sublayer(layer.get_submodule(feed_forward)),
        )

    return describe


def bloom(model: nn.Module) -> Anatomy:
    from transformers.models.bloom.modeling_bloom import bloom_gelu_forward

    # Its activation is wrapped in an autograd function that cannot be differentiated in batches.
    for layer in model.transformer.h:
        layer.mlp.gelu_impl.forward = bloom_gelu_forward
    return named("transformer.h", "self_attention.dense", "mlp.dense_4h_to_h")(model)


def opt(model: nn.Module) -> Anatomy:
    """The norms of a layer stand before its sublayers, or after their sums."""
    is_post_norm = not model.config.do_layer_norm_before

    def after(norm: nn.Module) -> nn.Module | None:
        return norm if is_post_norm else None

    return Anatomy(
        list(model.model.decoder.layers),
        "model.decoder.layers.{}",
        lambda ids: model(input_ids=ids, use_cache=False).logits,
        lambda layer: Sublayer(layer.self_attn, sum_norm=after(layer.self_attn_layer_norm)),
        lambda layer: Sublayer(layer.fc2, sum_norm=after(layer.final_layer_norm)),
    )


def published(model: nn.Module) -> Anatomy:
    """The models of published.py, which say themselves where their layers are."""
    return Anatomy(
        list(model.get_submodule(model.layers_path)),
        model.layers_path + ".{}",
        model,
        lambda layer: Sublayer(layer.attn),
        lambda layer: Sublayer(layer.mlp),
    )


def norms_last(model: nn.Module) -> Anatomy:
    """Gemma 2 and 3, OLMo 2: what a sublayer adds has passed a norm."""
    return dataclasses.replace(
        llama(model),
        attention=lambda layer: Sublayer(layer.post_attention_layernorm),
        feed_forward=lambda layer: Sublayer(layer.post_feedforward_layernorm),
    )


def olmo_core(model: nn.Module) -> Anatomy:
    return Anatomy(
        list(model.blocks.values()),
        "blocks.{}",
        model,
        lambda layer: Sublayer(layer.attention),
        lambda layer: Sublayer(layer.feed_forward),
    )


def sample(model: nn.Module) -> Anatomy:
    """The sample's model, in any norm scheme: a layer's parameter names say where its norms are."""

    def norm_after(layer: nn.Module, name: str) -> nn.Module | None:
        # Beside a norm of the stream of its own, Llama's second norm is the feed-forward's.
        return getattr(layer, f"post_{name}_layernorm", None) if has_norm_after(layer) else None

    def sublayer(layer: nn.Module, module: nn.Module, name: str) -> Sublayer:
        after = norm_after(layer, name)
        is_branch_norm = type(layer).__name__ in ("SandwichLN", "Reordered")
        residual = "feed_forward" if name == "feedforward" else name
        return Sublayer(
            after if after is not None and is_branch_norm else module,
            getattr(layer, f"{residual}_layer_scale", 1.0),
            getattr(layer, f"{residual}_residual_scale", getattr(layer, "residual_scale", 1.0)),
            None if is_branch_norm else after,
        )

    return Anatomy(
        list(model.model.layers),
        "model.layers.{}",
        model,
        lambda layer: sublayer(layer, layer.self_attn, "attention"),
        lambda layer: sublayer(layer, layer.mlp, "feedforward"),
    )


# By the model_type of config.json; every other one is of the LLaMA lineage.
OF_MODEL_TYPE: dict[str, Callable[[nn.Module], Anatomy]] = {
    "gpt2": named("transformer.h", "attn", "mlp"),
    "gemma2": norms_last,
    "gemma3_text": norms_last,
    "olmo2": norms_last,
    "gpt_bigcode": named("transformer.h", "attn", "mlp"),
    # These two add the stream within the module.
    "bloom": bloom,
    "mpt": named("transformer.blocks", "attn", "ffn.down_proj"),
    "falcon": named("transformer.h", "self_attention", "mlp"),
    "opt": opt,
    "gpt_neox": named("gpt_neox.layers", "attention", "mlp"),
    "gptj": named("transformer.h", "attn", "mlp"),
}


def has_norm_after(layer: nn.Module) -> bool:
    return hasattr(layer, "post_feedforward_layernorm")


def zeros_like(output: Tensor | tuple) -> Tensor | tuple:
    """A module's output with the stream's part of it set to 0."""
    if isinstance(output, tuple):
        return (torch.zeros_like(output[0]), *output[1:])
    return torch.zeros_like(output)
