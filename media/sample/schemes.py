"""Other norm schemes than model.py's two, each a decoder layer of its own.

    model = build(SchemeConfig(norm_scheme="post-ln"))

The parameter names say where a norm stands, as in Gemma 2 and OLMo 2.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn as nn

from model import Attention, CausalLM, Config, DecoderLayer, FeedForward, RMSNorm


@dataclass(frozen=True)
class SchemeConfig(Config):
    norm_scheme: str = "pre-ln"
    # For Group-LN: how many equal groups of channels a norm is taken over.
    norm_groups: int = 1


class Layer(nn.Module):
    """The two sublayers that every scheme arranges in its own way."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__()
        self.config = config
        self.self_attn = Attention(config)
        self.mlp = FeedForward(config)

    def norm(self) -> nn.Module:
        return RMSNorm(self.config.hidden_size, self.config.rms_norm_eps)

    def vector(self, value: float) -> nn.Parameter:
        return nn.Parameter(torch.full((self.config.hidden_size,), value))


class PostLN(Layer):
    """LN(x + f x), as in the original Transformer."""

    residual_scale = 1.0

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.post_attention_layernorm = self.norm()
        self.post_feedforward_layernorm = self.norm()

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        scale = self.residual_scale
        x = self.post_attention_layernorm(scale * x + self.self_attn(x, cos, sin))
        return self.post_feedforward_layernorm(scale * x + self.mlp(x))


class DeepNorm(PostLN):
    """LN(α x + f x) with α = (2L)^¼ (Wang et al., arXiv 2203.00555)."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.residual_scale = (2 * config.num_hidden_layers) ** 0.25


class Admin(Layer):
    """LN(ω ⊙ x + f x), ω profiled at initialisation (Liu et al., arXiv 2004.08249)."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.attention_residual_scale = self.vector(1.0)
        self.feed_forward_residual_scale = self.vector(1.0)
        self.post_attention_layernorm = self.norm()
        self.post_feedforward_layernorm = self.norm()

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        attended = self.attention_residual_scale * x + self.self_attn(x, cos, sin)
        x = self.post_attention_layernorm(attended)
        return self.post_feedforward_layernorm(self.feed_forward_residual_scale * x + self.mlp(x))


class SandwichLN(Layer):
    """x + LN(f(LN x)): Sandwich-LN (arXiv 2105.13290), Peri-LN (arXiv 2502.02732)."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.input_layernorm = self.norm()
        self.post_attention_layernorm = self.norm()
        self.pre_feedforward_layernorm = self.norm()
        self.post_feedforward_layernorm = self.norm()

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        attended = self.self_attn(self.input_layernorm(x), cos, sin)
        x = x + self.post_attention_layernorm(attended)
        return x + self.post_feedforward_layernorm(self.mlp(self.pre_feedforward_layernorm(x)))


class Reordered(Layer):
    """x + LN(f x), as in OLMo 2 (arXiv 2501.00656)."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.post_attention_layernorm = self.norm()
        self.post_feedforward_layernorm = self.norm()

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        x = x + self.post_attention_layernorm(self.self_attn(x, cos, sin))
        return x + self.post_feedforward_layernorm(self.mlp(x))


class LayerScale(Layer):
    """x + λ ⊙ f(LN x) (Touvron et al., arXiv 2103.17239); λ starts at their value for few layers."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.input_layernorm = self.norm()
        self.post_attention_layernorm = self.norm()
        self.attention_layer_scale = self.vector(0.1)
        self.feed_forward_layer_scale = self.vector(0.1)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        x = x + self.attention_layer_scale * self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.feed_forward_layer_scale * self.mlp(self.post_attention_layernorm(x))


class GroupRMSNorm(RMSNorm):
    """The mean square is taken over each of `groups` equal groups of channels."""

    def __init__(self, hidden_size: int, eps: float, groups: int):
        super().__init__(hidden_size, eps)
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x32 = x.float().unflatten(-1, (self.groups, -1))
        normalized = x32 * torch.rsqrt(x32.square().mean(-1, keepdim=True) + self.eps)
        return self.weight * normalized.flatten(-2)


class GroupLN(DecoderLayer):
    """Pre-LN with norms over groups of channels."""

    def __init__(self, config: SchemeConfig, layer_index: int):
        super().__init__(config, layer_index)
        self.input_layernorm = group_norm(config)
        self.post_attention_layernorm = group_norm(config)


class Parallel(Layer):
    """x + attention(LN x) + feed-forward(LN x), as in GPT-NeoX (arXiv 2204.06745)."""

    def __init__(self, config: Config, layer_index: int):
        super().__init__(config, layer_index)
        self.input_layernorm = self.norm()
        self.post_attention_layernorm = self.norm()

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        attended = self.self_attn(self.input_layernorm(x), cos, sin)
        return x + attended + self.mlp(self.post_attention_layernorm(x))


def mix_ln(config: Config, layer_index: int) -> nn.Module:
    """Post-LN in the first quarter of the layers, Pre-LN after (Li et al., arXiv 2412.13795)."""
    is_early = layer_index < config.num_hidden_layers // 4
    return PostLN(config, layer_index) if is_early else DecoderLayer(config, layer_index)


LAYERS = {
    "scaled-init": DecoderLayer,
    "post-ln": PostLN,
    "deepnorm": DeepNorm,
    "mix-ln": mix_ln,
    "sandwich": SandwichLN,
    "reordered": Reordered,
    "layerscale": LayerScale,
    "admin": Admin,
    "group-ln": GroupLN,
    "parallel": Parallel,
}


def build(config: SchemeConfig) -> CausalLM:
    """A model of `config.norm_scheme`, initialised as the scheme asks."""
    model = CausalLM(config)
    layers = config.num_hidden_layers
    layer = LAYERS[config.norm_scheme]
    model.model.layers = nn.ModuleList(layer(config, index) for index in range(layers))
    model.apply(model._initialize)
    if config.norm_scheme == "group-ln":
        model.model.norm = group_norm(config)
    if config.norm_scheme == "scaled-init":
        multiply(model, 1 / math.sqrt(2 * layers), "o_proj", "down_proj")
    if config.norm_scheme == "deepnorm":
        names = ("v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
        multiply(model, (8 * layers) ** -0.25, *names)
    return model


def group_norm(config: SchemeConfig) -> GroupRMSNorm:
    return GroupRMSNorm(config.hidden_size, config.rms_norm_eps, config.norm_groups)


@torch.no_grad()
def multiply(model: nn.Module, factor: float, *modules: str) -> None:
    for name, parameter in model.named_parameters():
        if any(f".{module}." in name for module in modules):
            parameter.mul_(factor)


@torch.no_grad()
def profile_admin(model: CausalLM, input_ids: torch.Tensor) -> None:
    """Sets ω² of each sublayer to 1 plus the variances of what the ones before it add."""
    total = 1.0
    for layer in model.model.layers:
        for scale, sublayer in (
            (layer.attention_residual_scale, layer.self_attn),
            (layer.feed_forward_residual_scale, layer.mlp),
        ):
            scale.fill_(math.sqrt(total))
            outputs: list[torch.Tensor] = []
            handle = sublayer.register_forward_hook(lambda _m, _i, output: outputs.append(output))
            model(input_ids)
            handle.remove()
            total += outputs[0].var().item()
