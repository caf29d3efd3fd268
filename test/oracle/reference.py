"""Reference values from the real Hugging Face modelling code, by hooks: nothing is re-implemented.

Every document is run alone, in float64, with eager attention and experts.
"""

import json
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle

import anatomy
import olmo_core
from anatomy import Anatomy, Sublayer, zeros_like
import published
import vision
from checkpoints import class_of, is_timm, load_own
from estimators import PerDocument, growth, mean, standard_error, token_statistics
from questions import Image, Question, masked, next_tokens, span_corrupted

PROBES = 4000
Documents = list[list[int]] | list[Image]
# Of the diagnosis, by which it chooses what to mask.
SEED = 0


class Float64Throughout(TorchFunctionMode):
    """transformers computes norms, softmax and rotations in float32 whatever the model's type;
    inside this mode the same code computes them in float64."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        def widen(value: Any) -> Any:
            return torch.float64 if value is torch.float32 else value

        if func is torch.Tensor.float:
            func = torch.Tensor.double
        kwargs = {key: widen(value) for key, value in (kwargs or {}).items()}
        return func(*map(widen, args), **kwargs)


def has_experts(config: dict[str, Any]) -> bool:
    return any(key in config for key in ("num_experts", "num_local_experts", "n_routed_experts"))


def load_model(folder: Path, dtype: torch.dtype = torch.float64) -> Anatomy:
    """The checkpoint as the code that it was made for reads it."""
    config = json.loads((folder / "config.json").read_text())
    if "norm_scheme" in config:
        model, describe = load_own(folder, config), anatomy.sample
    elif is_timm(config):
        model, describe = load_own(folder, config), anatomy.timm
    elif vision.model_of(config) is not None:
        model, describe = load_own(folder, config), anatomy.own_vision
    elif published.is_torch_decoder(config):
        model, describe = load_own(folder, config), anatomy.torch_decoder
    elif published.model_of(config) is not None:
        model, describe = load_own(folder, config), anatomy.published
    elif olmo_core.is_config(config):
        model, describe = load_own(folder, config), anatomy.olmo_core
    else:
        model = class_of(config).from_pretrained(
            folder,
            dtype=dtype,
            # Falcon's eager attention adds ALiBi a second time to a mask that has it already.
            attn_implementation="sdpa" if config.get("alibi") else "eager",
            **({"experts_implementation": "eager"} if has_experts(config) else {}),
            local_files_only=True,
        )
        describe = anatomy.OF_MODEL_TYPE.get(config["model_type"], anatomy.llama)
    model = model.to(dtype).eval()
    model.requires_grad_(False)
    return describe(model)


def reference(folder: Path, documents: Documents, probe_seed: int) -> dict[str, Any]:
    with Float64Throughout(), torch.no_grad():
        return _reference(load_model(folder), documents, probe_seed)


def _reference(model: Anatomy, documents: Documents, probe_seed: int) -> dict[str, Any]:
    questions = questions_of(model, documents)
    traces = [trace(model, question) for question in questions]
    generator = torch.Generator().manual_seed(probe_seed)
    baseline = token_losses(model, questions) if model.has_head else []
    nll = mean(baseline) if model.has_head else math.nan

    def removal(removing: AbstractContextManager[None]) -> dict[str, float]:
        with removing:
            removed = token_losses(model, questions)
        differences = [a - b for a, b in zip(removed, baseline, strict=True)]
        return {"deltaNll": mean(differences), "standardError": standard_error(differences)}

    def pruning_report(layer: nn.Module) -> dict[str, Any]:
        attention, feed_forward = model.attention(layer), model.feed_forward(layer)
        cross = model.cross_attention(layer) if model.cross_attention else None
        whole = removal(skip_layer(layer))
        return {
            **whole,
            "deltaPerplexity": math.exp(nll + whole["deltaNll"]) - math.exp(nll),
            "attention": removal(without_attention(layer, attention)),
            **({"crossAttention": removal(without_later(attention, cross))} if cross else {}),
            "feedForward": removal(without_later(cross or attention, feed_forward)),
        }

    def layer_report(index: int, layer: nn.Module) -> dict[str, Any]:
        passes = [t[index] for t in traces]
        influence = [1 - cosines(p.output, p.input) for p in passes]
        return {
            "index": index,
            "path": model.path_of(index),
            "outputVariance": token_statistics([variance(p.output) for p in passes]),
            "contribution": {
                "attention": contribution_report([contribution(*p.attention) for p in passes]),
                **(
                    {
                        "crossAttention": contribution_report(
                            [contribution(*p.cross_attention) for p in passes]
                        )
                    }
                    if model.cross_attention
                    else {}
                ),
                "feedForward": contribution_report([contribution(*p.feed_forward) for p in passes]),
            },
            "jacobian": jacobian_report([p.jacobian() for p in passes], generator),
            **({"pruning": pruning_report(layer)} if model.has_head else {}),
            "blockInfluence": mean(influence),
            "blockInfluenceStandardError": standard_error(influence),
        }

    reports = [layer_report(index, layer) for index, layer in enumerate(model.layers)]
    stated_baseline = {
        "nll": nll,
        "standardError": standard_error(baseline) if model.has_head else math.nan,
        "perplexity": math.exp(nll),
    }
    return {
        **({"baseline": stated_baseline} if model.has_head else {}),
        "growth": growth([report["outputVariance"]["mean"] for report in reports]),
        "layers": reports,
    }


def documents_of(folder: Path) -> Documents:
    if (folder / "tokens.json").exists():
        return json.loads((folder / "tokens.json").read_text())
    batch = load_file(folder / "images.safetensors")
    return [Image(*each) for each in zip(batch["pixel_values"], batch["labels"].tolist())]


def questions_of(model: Anatomy, documents: Documents) -> list[Question]:
    if isinstance(documents[0], Image):
        # In the type that the model runs in.
        return [Question(image.pixels.to(next(model.layers[0].parameters()).dtype), [0], [image.label]) for image in documents]
    if not model.has_head:
        return [Question(document, [], []) for document in documents]
    if model.corruption is not None:
        return [
            span_corrupted(document, model.corruption, SEED, index)
            for index, document in enumerate(documents)
        ]
    if model.mask_token is None:
        return [next_tokens(document) for document in documents]
    return [
        masked(document, model.mask_token, SEED, index) for index, document in enumerate(documents)
    ]


def token_losses(model: Anatomy, questions: list[Question]) -> PerDocument:
    """−log p of the tokens that are asked for, each document alone."""
    losses: PerDocument = []
    for question in questions:
        logits = model.logits(*question.batches())[0, question.positions]
        targets = torch.tensor(question.targets, dtype=torch.long)
        losses.append(nn.functional.cross_entropy(logits, targets, reduction="none").numpy())
    return losses


@dataclass
class LayerPass:
    """One layer's pass over one document; every tensor is tokens × channels."""

    layer: nn.Module
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    input: Tensor
    output: Tensor
    # What each sublayer adds, and what it is added to.
    attention: tuple[Tensor, Tensor]
    feed_forward: tuple[Tensor, Tensor]
    cross_attention: tuple[Tensor, Tensor] | None

    def jacobian(self) -> Tensor:
        """∂output/∂input over the whole sequence: Td × Td, by reverse-mode autograd."""

        def run(x: Tensor) -> Tensor:
            return stream_of(self.layer(x[None], *self.arguments, **self.keywords))[0]

        size = self.input.numel()
        with torch.enable_grad():
            jacobian = torch.func.jacrev(run, chunk_size=128)(self.input)
        return jacobian.reshape(size, size)


def trace(model: Anatomy, question: Question) -> list[LayerPass]:
    """Runs one document and keeps what went in and out of every layer and sublayer."""
    with ExitStack() as stack:
        recordings = [stack.enter_context(recording(model, layer)) for layer in model.layers]
        model.logits(*question.batches())
    return [record.layer_pass() for record in recordings]


@dataclass
class Recording:
    """What hooks saw of a layer's call; tensors are 1 × tokens × channels."""

    layer: nn.Module
    attention: Sublayer
    feed_forward: Sublayer
    cross_attention: Sublayer | None
    call: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    output: Tensor | None = None
    branches: dict[int, Tensor] = field(default_factory=dict)

    def layer_pass(self) -> LayerPass:
        (stream, *arguments), keywords = self.call
        attention = self.sides(self.attention, stream)
        attended = self.after(self.attention, *attention)
        cross = self.cross_attention and self.sides(self.cross_attention, attended)
        reached = self.after(self.cross_attention, *cross) if cross else attended
        feed_forward = self.sides(self.feed_forward, reached)
        return LayerPass(
            self.layer,
            tuple(arguments),
            keywords,
            stream[0],
            self.output[0],
            tuple(side[0] for side in attention),
            tuple(side[0] for side in feed_forward),
            cross and tuple(side[0] for side in cross),
        )

    def sides(self, sublayer: Sublayer, stream: Tensor) -> tuple[Tensor, Tensor]:
        added = sublayer.branch_scale * self.branches[id(sublayer.branch)]
        return added, sublayer.stream_scale * stream

    def after(self, sublayer: Sublayer, added: Tensor, base: Tensor) -> Tensor:
        return sublayer.sum_norm(base + added) if sublayer.sum_norm else base + added


@contextmanager
def recording(model: Anatomy, layer: nn.Module) -> Iterator[Recording]:
    cross = model.cross_attention(layer) if model.cross_attention else None
    record = Recording(layer, model.attention(layer), model.feed_forward(layer), cross)

    def keep_layer(_module: Any, args: Any, keywords: Any, output: Any) -> None:
        record.call, record.output = (args, keywords), stream_of(output)

    def keep_branch(module: nn.Module, _args: Any, output: Any) -> None:
        # Falcon adds the attention to its feed-forward's output in place.
        record.branches[id(module)] = stream_of(output).clone()

    with hooks(
        layer.register_forward_hook(keep_layer, with_kwargs=True),
        record.attention.branch.register_forward_hook(keep_branch),
        record.feed_forward.branch.register_forward_hook(keep_branch),
        *([cross.branch.register_forward_hook(keep_branch)] if cross else []),
    ):
        yield record


@contextmanager
def hooks(*handles: RemovableHandle) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def stream_of(output: Tensor | tuple[Any, ...]) -> Tensor:
    """The residual stream among what a module returns, 1 × tokens × channels."""
    stream = output[0] if isinstance(output, tuple) else output
    # OPT joins batch and tokens before its feed-forward.
    return stream[None] if stream.dim() == 2 else stream


def skip_layer(layer: nn.Module) -> AbstractContextManager[None]:
    """The layer's output becomes its input."""

    def skip(_module: Any, args: Any, output: Any) -> Any:
        return (args[0], *output[1:]) if isinstance(output, tuple) else args[0]

    return hooks(layer.register_forward_hook(skip))


def without_attention(layer: nn.Module, attention: Sublayer) -> AbstractContextManager[None]:
    """The stream passes the attention, and a norm of its sum, unchanged."""
    handles = [silence(attention.branch)]
    if attention.sum_norm is not None:
        seen: list[Tensor] = []
        handles += [
            layer.register_forward_pre_hook(lambda _module, args: seen.append(args[0])),
            attention.sum_norm.register_forward_hook(lambda *_: seen[-1]),
        ]
    return hooks(*handles)


def without_later(before: Sublayer, sublayer: Sublayer) -> AbstractContextManager[None]:
    """The stream passes a sublayer after the first, and a norm of its sum, unchanged."""
    handles = [silence(sublayer.branch)]
    if sublayer.sum_norm is not None:
        seen: list[Tensor] = []
        handles += [
            before.sum_norm.register_forward_hook(lambda _m, _a, output: seen.append(output)),
            sublayer.sum_norm.register_forward_hook(lambda *_: seen[-1]),
        ]
    return hooks(*handles)


def silence(branch: nn.Module) -> RemovableHandle:
    """The sublayer adds nothing to the residual stream."""
    return branch.register_forward_hook(lambda _module, _args, output: zeros_like(output))


def variance(x: Tensor) -> np.ndarray:
    return x.var(dim=-1, correction=0).numpy()


def cosines(a: Tensor, b: Tensor) -> np.ndarray:
    return ((a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1))).numpy()


def contribution(added: Tensor, stream: Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    norm_ratio = (added.norm(dim=-1) / stream.norm(dim=-1)).numpy()
    return variance(added), norm_ratio, cosines(added, stream)


def contribution_report(
    documents: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> dict[str, Any]:
    variances, norm_ratios, cosine_values = (list(values) for values in zip(*documents))
    return {
        "variance": token_statistics(variances),
        "normRatio": mean(norm_ratios),
        "normRatioStandardError": standard_error(norm_ratios),
        "cosine": mean(cosine_values),
        "cosineStandardError": standard_error(cosine_values),
    }


def jacobian_report(jacobians: list[Tensor], generator: torch.Generator) -> dict[str, Any]:
    """Exact distances; the exact variance of a one-probe estimate; the cosine by many probes."""
    squares: list[float] = []
    square_variances: list[float] = []
    cosine_means: list[float] = []
    cosine_variances: list[float] = []
    approximations: list[float] = []
    for jacobian in jacobians:
        size = jacobian.shape[0]
        difference = jacobian - torch.eye(size, dtype=jacobian.dtype)
        squares.append(float(difference.square().sum()) / size)
        # Var(vᵀAv) = 2 Σ_{i≠j} A_ij² for Rademacher v and symmetric A.
        gram = difference.T @ difference
        off_diagonal = gram.square().sum() - gram.diagonal().square().sum()
        square_variances.append(2 * float(off_diagonal) / size**2)
        approximations.append(float(jacobian.trace() / (math.sqrt(size) * jacobian.norm())))
        probes = torch.randint(2, (size, PROBES), generator=generator).double() * 2 - 1
        images = jacobian @ probes
        values = (probes * images).sum(0) / (math.sqrt(size) * images.norm(dim=0))
        cosine_means.append(float(values.mean()))
        cosine_variances.append(float(values.var()))
    count = len(jacobians)
    return {
        "identityDistance": math.sqrt(sum(squares) / count),
        "identityCosine": sum(cosine_means) / count,
        "identityCosineStandardError": math.sqrt(sum(cosine_variances) / PROBES) / count,
        "identityCosineApproximation": sum(approximations) / count,
        # One probe's variance in each document: what K probes must scatter by is known exactly.
        "documents": {
            "squaredDistance": squares,
            "squaredDistanceProbeVariance": square_variances,
            "identityCosine": cosine_means,
            "identityCosineProbeVariance": cosine_variances,
        },
    }
