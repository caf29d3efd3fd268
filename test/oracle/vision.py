"""Vision transformers that transformers does not have, after their published code: names, shapes and
formulas are theirs, the writing is ours."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Config = dict[str, Any]


def model_of(config: Config) -> Callable[[Config], nn.Module] | None:
    """Which model a config.json is of; None: none of these. They are told
    by what their constructors call their sizes."""
    if "model_type" in config:
        return None
    if "num_transformer_layers" in config:
        return CourseVit
    if "hidden_dim" in config:
        return TorchvisionVit
    if "dim" in config and "depth" in config:
        return PyVit
    return None


def with_class(token: Tensor, patches: Tensor) -> Tensor:
    return torch.cat([token.expand(len(patches), 1, -1), patches], dim=1)


class CourseVit(nn.Module):
    """github.com/mrdbourke/pytorch-deep-learning, 08_pytorch_paper_replicating: its only attention is
    called `multihead_attn`."""

    layer_path = "transformer_encoder.{}"
    branches = ("msa_block", "mlp_block")

    def __init__(self, config: Config) -> None:
        super().__init__()
        size, patch = config["embedding_dim"], config["patch_size"]
        patches = (config["img_size"] // patch) ** 2
        self.class_embedding = nn.Parameter(torch.zeros(1, 1, size))
        self.position_embedding = nn.Parameter(torch.zeros(1, patches + 1, size))
        self.patch_embedding = CoursePatches(config["in_channels"], size, patch)
        self.transformer_encoder = nn.Sequential(
            *(CourseLayer(config) for _ in range(config["num_transformer_layers"]))
        )
        self.classifier = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, config["num_classes"]))

    @property
    def layers(self) -> nn.Sequential:
        return self.transformer_encoder

    def forward(self, images: Tensor) -> Tensor:
        x = with_class(self.class_embedding, self.patch_embedding(images))
        return self.classifier(self.transformer_encoder(x + self.position_embedding)[:, 0])


class CoursePatches(nn.Module):
    def __init__(self, channels: int, size: int, patch: int) -> None:
        super().__init__()
        self.patcher = nn.Conv2d(channels, size, patch, stride=patch)

    def forward(self, images: Tensor) -> Tensor:
        return self.patcher(images).flatten(2).transpose(1, 2)


class CourseLayer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size = config["embedding_dim"]
        self.msa_block = CourseAttention(size, config["num_heads"])
        self.mlp_block = CourseFeedForward(size, config["mlp_size"])

    def forward(self, x: Tensor) -> Tensor:
        x = self.msa_block(x) + x
        return self.mlp_block(x) + x


class CourseAttention(nn.Module):
    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size)
        self.multihead_attn = nn.MultiheadAttention(size, heads, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer_norm(x)
        return self.multihead_attn(x, x, x, need_weights=False)[0]


class CourseFeedForward(nn.Module):
    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(size)
        self.mlp = nn.Sequential(
            nn.Linear(size, inner), nn.GELU(), nn.Dropout(), nn.Linear(inner, size), nn.Dropout()
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(self.layer_norm(x))


class TorchvisionVit(nn.Module):
    """github.com/pytorch/vision, torchvision/models/vision_transformer.py."""

    layer_path = "encoder.layers.encoder_layer_{}"
    branches = ("dropout", "mlp")

    def __init__(self, config: Config) -> None:
        super().__init__()
        size, patch = config["hidden_dim"], config["patch_size"]
        self.conv_proj = nn.Conv2d(3, size, patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, size))
        self.encoder = TorchvisionEncoder((config["image_size"] // patch) ** 2 + 1, config)
        self.heads = nn.Sequential(OrderedDict(head=nn.Linear(size, config["num_classes"])))

    @property
    def layers(self) -> nn.Sequential:
        return self.encoder.layers

    def forward(self, images: Tensor) -> Tensor:
        patches = self.conv_proj(images).flatten(2).transpose(1, 2)
        return self.heads(self.encoder(with_class(self.class_token, patches))[:, 0])


class TorchvisionEncoder(nn.Module):
    def __init__(self, length: int, config: Config) -> None:
        super().__init__()
        size = config["hidden_dim"]
        self.pos_embedding = nn.Parameter(torch.zeros(1, length, size))
        layers = range(config["num_layers"])
        self.layers = nn.Sequential(
            OrderedDict((f"encoder_layer_{index}", TorchvisionLayer(config)) for index in layers)
        )
        self.ln = nn.LayerNorm(size, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.ln(self.layers(x + self.pos_embedding))


class TorchvisionLayer(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, inner = config["hidden_dim"], config["mlp_dim"]
        self.ln_1 = nn.LayerNorm(size, eps=1e-6)
        self.self_attention = nn.MultiheadAttention(size, config["num_heads"], batch_first=True)
        self.dropout = nn.Dropout(0.0)
        self.ln_2 = nn.LayerNorm(size, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(size, inner), nn.GELU(), nn.Dropout(), nn.Linear(inner, size), nn.Dropout()
        )

    def forward(self, x: Tensor) -> Tensor:
        normed = self.ln_1(x)
        x = x + self.dropout(self.self_attention(normed, normed, normed, need_weights=False)[0])
        return x + self.mlp(self.ln_2(x))


class PyVit(nn.Module):
    """github.com/lucidrains/vit-pytorch, vit_pytorch/vit.py: a patch is normed before and after its
    linear."""

    layer_path = "transformer.layers.{}"
    branches = ("0", "1")

    def __init__(self, config: Config) -> None:
        super().__init__()
        size, self.patch = config["dim"], config["patch_size"]
        pixels = config["channels"] * self.patch**2
        self.cls_token = nn.Parameter(torch.zeros(1, size))
        self.pos_embedding = nn.Parameter(
            torch.zeros((config["image_size"] // self.patch) ** 2 + 1, size)
        )
        self.to_patch_embedding = nn.Sequential(
            nn.Identity(), nn.LayerNorm(pixels), nn.Linear(pixels, size), nn.LayerNorm(size)
        )
        self.transformer = PyVitStack(config)
        self.mlp_head = nn.Linear(size, config["num_classes"])

    @property
    def layers(self) -> nn.ModuleList:
        return self.transformer.layers

    def forward(self, images: Tensor) -> Tensor:
        rows = images.unflatten(3, (-1, self.patch)).unflatten(2, (-1, self.patch))
        patches = rows.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)
        x = with_class(self.cls_token, self.to_patch_embedding(patches)) + self.pos_embedding
        return self.mlp_head(self.transformer(x)[:, 0])


class PyVitStack(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(config["dim"])
        self.layers = nn.ModuleList(PyVitLayer(config) for _ in range(config["depth"]))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class PyVitLayer(nn.ModuleList):
    def __init__(self, config: Config) -> None:
        size, inner = config["dim"], config["mlp_dim"]
        super().__init__([PyVitAttention(config), PyVitFeedForward(size, inner)])

    def forward(self, x: Tensor) -> Tensor:
        attention, feed_forward = self
        x = attention(x) + x
        return feed_forward(x) + x


class PyVitAttention(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        size, self.heads = config["dim"], config["heads"]
        inner = self.heads * config["dim_head"]
        self.norm = nn.LayerNorm(size)
        self.to_qkv = nn.Linear(size, 3 * inner, bias=False)
        self.to_out = nn.Sequential(nn.Linear(inner, size), nn.Dropout())

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.to_qkv(self.norm(x)).chunk(3, dim=-1)
        )
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        return self.to_out((weights @ value).transpose(1, 2).flatten(2))


class PyVitFeedForward(nn.Module):
    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.LayerNorm(size),
            nn.Linear(size, inner),
            nn.GELU(),
            nn.Dropout(),
            nn.Linear(inner, size),
            nn.Dropout(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)
