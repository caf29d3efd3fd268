"""Where a model keeps what the reference hooks into: its layers, and the parts of their sublayers."""

import copy
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from questions import Corruption


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
    # Module path of a layer, by its index; or one for each layer.
    path: str | list[str]
    # Logits [1, tokens, vocabulary] of token ids [1, tokens]; without a head, anything. Of images
    # [1, channels, height, width] those of classes, [1, 1, classes]. A decoder's are of its own token
    # ids and of those that the encoder reads.
    logits: Callable[..., Tensor]
    attention: Callable[[nn.Module], Sublayer]
    feed_forward: Callable[[nn.Module], Sublayer]
    # Between the two, in layers that attend to an encoder.
    cross_attention: Callable[[nn.Module], Sublayer] | None = None
    has_head: bool = True
    # What hides the tokens that the head is asked for; None: it is asked for the next tokens.
    mask_token: int | None = None
    # Of a decoder that tells the spans which are hidden from its encoder.
    corruption: Corruption | None = None

    def path_of(self, index: int) -> str:
        return self.path.format(index) if isinstance(self.path, str) else self.path[index]


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


def torch_decoder(model: nn.Module) -> Anatomy:
    """What a sublayer adds has passed its dropout; the norms stand before, or after the sums."""
    # The fast path calls none of a layer's modules.
    torch.backends.mha.set_fastpath_enabled(False)

    def sublayer(number: int) -> Callable[[nn.Module], Sublayer]:
        return lambda layer: Sublayer(
            layer.get_submodule(f"dropout{number}"),
            sum_norm=None if layer.norm_first else layer.get_submodule(f"norm{number}"),
        )

    return Anatomy(
        list(model.decoder.layers),
        "decoder.layers.{}",
        model,
        sublayer(1),
        sublayer(3),
        cross_attention=sublayer(2),
    )


def own_vision(model: nn.Module) -> Anatomy:
    """The models of vision.py, which say themselves what their layers' sublayers are."""
    torch.backends.mha.set_fastpath_enabled(False)
    attention, feed_forward = model.branches
    return Anatomy(
        list(model.layers),
        model.layer_path,
        lambda images: model(images)[:, None],
        lambda layer: Sublayer(layer.get_submodule(attention)),
        lambda layer: Sublayer(layer.get_submodule(feed_forward)),
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


def encoder(
    model: nn.Module,
    layers: list[nn.Module],
    path: str | list[str],
    parts: tuple[str, str, str, str],
) -> Anatomy:
    """An encoder with norms after its sums: `parts` are a layer's attention output, the norm of its
    sum, and the same of the feed-forward."""
    attention, attention_norm, feed_forward, feed_forward_norm = parts
    has_head = type(model).__name__.endswith(("ForMaskedLM", "BertForPreTraining"))

    def logits(ids: Tensor) -> Tensor:
        output = model(input_ids=ids)
        return output["prediction_logits" if "prediction_logits" in output else "logits"]

    def sublayer(branch: str, norm: str) -> Callable[[nn.Module], Sublayer]:
        return lambda layer: Sublayer(
            layer.get_submodule(branch), sum_norm=layer.get_submodule(norm)
        )

    prefix = model.base_model_prefix + "." if has_prefix(model) else ""
    paths = [path] if isinstance(path, str) else path
    prefixed = [prefix + each for each in paths]
    return Anatomy(
        layers,
        prefixed[0] if isinstance(path, str) else prefixed,
        logits if has_head else lambda ids: model(input_ids=ids),
        sublayer(attention, attention_norm),
        sublayer(feed_forward, feed_forward_norm),
        has_head=has_head,
        mask_token=model.config.mask_token_id if has_head else None,
    )


def has_prefix(model: nn.Module) -> bool:
    return hasattr(model, model.base_model_prefix)


def stack_of(model: nn.Module) -> nn.Module:
    return getattr(model, model.base_model_prefix) if has_prefix(model) else model


def bert(model: nn.Module) -> Anatomy:
    return encoder(
        model,
        list(stack_of(model).encoder.layer),
        "encoder.layer.{}",
        ("attention.output.dense", "attention.output.LayerNorm", "output.dense", "output.LayerNorm"),
    )


def distilbert(model: nn.Module) -> Anatomy:
    return encoder(
        model,
        list(stack_of(model).transformer.layer),
        "transformer.layer.{}",
        ("attention.out_lin", "sa_layer_norm", "ffn", "output_layer_norm"),
    )


def albert(model: nn.Module) -> Anatomy:
    """Every run of a shared layer becomes a copy of its own, so that one can be removed."""
    stack = stack_of(model).encoder
    config = stack.config
    runs, groups = config.num_hidden_layers, config.num_hidden_groups
    of_run = [int(run / (runs / groups)) for run in range(runs)]
    stack.albert_layer_groups = nn.ModuleList(
        copy.deepcopy(stack.albert_layer_groups[group]) for group in of_run
    )
    config.num_hidden_groups = runs
    inner = range(config.inner_group_num)
    return encoder(
        model,
        [group.albert_layers[at] for group in stack.albert_layer_groups for at in inner],
        [
            f"encoder.albert_layer_groups.{group}.albert_layers.{at}"
            for group in of_run
            for at in inner
        ],
        ("attention.dense", "attention.LayerNorm", "ffn_output", "full_layer_layer_norm"),
    )


def vision(model: nn.Module) -> Anatomy:
    has_head = "ForImageClassification" in type(model).__name__
    return Anatomy(
        list(stack_of(model).layers),
        # As checkpoints have it: transformers 5 gives the modules shorter names.
        model.base_model_prefix + ".encoder.layer.{}",
        lambda images: model(pixel_values=images).logits[:, None] if has_head else model(images),
        lambda layer: Sublayer(layer.attention),
        lambda layer: Sublayer(layer.mlp),
        has_head=has_head,
    )


def timm(model: nn.Module) -> Anatomy:
    """What a block adds has passed LayerScale, or in residual-post-norm blocks a norm."""
    is_reordered = type(model.blocks[0]).__name__ == "ResPostBlock"
    return Anatomy(
        list(model.blocks),
        "blocks.{}",
        lambda images: model(images)[:, None],
        lambda block: Sublayer(block.norm1 if is_reordered else block.ls1),
        lambda block: Sublayer(block.norm2 if is_reordered else block.ls2),
    )


def t5(model: nn.Module) -> Anatomy:
    if type(model).__name__ == "T5EncoderModel":
        return t5_encoder(model)
    config = model.config
    return Anatomy(
        list(model.decoder.block),
        "decoder.block.{}",
        lambda ids, source: model(
            input_ids=source, decoder_input_ids=ids, use_cache=False
        ).logits,
        lambda block: Sublayer(block.layer[0].SelfAttention),
        lambda block: Sublayer(block.layer[2].DenseReluDense),
        cross_attention=lambda block: Sublayer(block.layer[1].EncDecAttention),
        corruption=Corruption(
            config.vocab_size - 1, config.decoder_start_token_id, config.eos_token_id
        ),
    )


def t5_encoder(model: nn.Module) -> Anatomy:
    return Anatomy(
        list(model.encoder.block),
        "encoder.block.{}",
        lambda ids: model(input_ids=ids),
        lambda block: Sublayer(block.layer[0].SelfAttention),
        lambda block: Sublayer(block.layer[1].DenseReluDense),
        has_head=False,
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
    "olmo3": norms_last,
    "gpt_bigcode": named("transformer.h", "attn", "mlp"),
    # These two add the stream within the module.
    "bloom": bloom,
    "mpt": named("transformer.blocks", "attn", "ffn.down_proj"),
    "falcon": named("transformer.h", "self_attention", "mlp"),
    "opt": opt,
    "gpt_neo": named("transformer.h", "attn", "mlp"),
    "gpt_neox": named("gpt_neox.layers", "attention", "mlp"),
    "gptj": named("transformer.h", "attn", "mlp"),
    "bert": bert,
    "roberta": bert,
    "distilbert": distilbert,
    "albert": albert,
    "electra": bert,
    "t5": t5,
    "vit": vision,
    "deit": vision,
}


def has_norm_after(layer: nn.Module) -> bool:
    return hasattr(layer, "post_feedforward_layernorm")


def zeros_like(output: Tensor | tuple) -> Tensor | tuple:
    """A module's output with the stream's part of it set to 0."""
    if isinstance(output, tuple):
        return (torch.zeros_like(output[0]), *output[1:])
    return torch.zeros_like(output)
