"""Reference values from the real Hugging Face modelling code, by hooks: nothing is re-implemented.

Every document is run alone, in float64, with eager attention.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.hooks import RemovableHandle
from transformers import AutoModelForCausalLM

from estimators import PerDocument, growth, mean, standard_error, token_statistics

PROBES = 4000


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


def load_model(folder: Path, dtype: torch.dtype = torch.float64) -> nn.Module:
    """The checkpoint as transformers reads it; LayerNorm Scaling is added from outside."""
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, attn_implementation="eager", local_files_only=True
    ).eval()
    model.requires_grad_(False)
    if getattr(model.config, "layer_norm_scaling", False):
        for index, layer in enumerate(model.model.layers):
            scale = 1 / math.sqrt(index + 1)
            for norm in (layer.input_layernorm, layer.post_attention_layernorm):
                norm.register_forward_hook(lambda _m, _i, output, s=scale: output * s)
    return model


def reference(folder: Path, documents: list[list[int]], probe_seed: int) -> dict[str, Any]:
    with Float64Throughout(), torch.no_grad():
        return _reference(load_model(folder), documents, probe_seed)


def _reference(model: nn.Module, documents: list[list[int]], probe_seed: int) -> dict[str, Any]:
    layers = model.model.layers
    baseline = token_losses(model, documents)
    traces = [trace(model, document) for document in documents]
    generator = torch.Generator().manual_seed(probe_seed)
    nll = mean(baseline)

    def removal(*handles: RemovableHandle) -> dict[str, float]:
        removed = token_losses(model, documents)
        for handle in handles:
            handle.remove()
        differences = [a - b for a, b in zip(removed, baseline, strict=True)]
        return {"deltaNll": mean(differences), "standardError": standard_error(differences)}

    def layer_report(index: int, layer: nn.Module) -> dict[str, Any]:
        passes = [t[index] for t in traces]
        whole = removal(skip_layer(layer))
        attention = [contribution(p.attention, p.input) for p in passes]
        feed_forward = [contribution(p.feed_forward, p.input + p.attention) for p in passes]
        influence = [1 - cosines(p.output, p.input) for p in passes]
        return {
            "index": index,
            "path": f"model.layers.{index}",
            "outputVariance": token_statistics([variance(p.output) for p in passes]),
            "contribution": {
                "attention": contribution_report(attention),
                "feedForward": contribution_report(feed_forward),
            },
            "jacobian": jacobian_report([p.jacobian() for p in passes], generator),
            "pruning": {
                **whole,
                "deltaPerplexity": math.exp(nll + whole["deltaNll"]) - math.exp(nll),
                "attention": removal(silence(layer.self_attn)),
                "feedForward": removal(silence(layer.mlp)),
            },
            "blockInfluence": mean(influence),
            "blockInfluenceStandardError": standard_error(influence),
        }

    reports = [layer_report(index, layer) for index, layer in enumerate(layers)]
    return {
        "baseline": {
            "nll": nll,
            "standardError": standard_error(baseline),
            "perplexity": math.exp(nll),
        },
        "growth": growth([report["outputVariance"]["mean"] for report in reports]),
        "layers": reports,
    }


def token_losses(model: nn.Module, documents: list[list[int]]) -> PerDocument:
    """−log p of positions 1 … T−1, each document alone."""
    losses: PerDocument = []
    for document in documents:
        ids = torch.tensor([document])
        logits = model(input_ids=ids, use_cache=False).logits[0, :-1]
        losses.append(nn.functional.cross_entropy(logits, ids[0, 1:], reduction="none").numpy())
    return losses


@dataclass
class LayerPass:
    """One layer's pass over one document; every tensor is tokens × channels."""

    layer: nn.Module
    keywords: dict[str, Any]
    input: Tensor
    output: Tensor
    attention: Tensor
    feed_forward: Tensor

    def jacobian(self) -> Tensor:
        """∂output/∂input over the whole sequence: Td × Td, by reverse-mode autograd."""

        def run(x: Tensor) -> Tensor:
            return self.layer(x[None], **self.keywords)[0]

        size = self.input.numel()
        with torch.enable_grad():
            jacobian = torch.func.jacrev(run, chunk_size=128)(self.input)
        return jacobian.reshape(size, size)


def trace(model: nn.Module, document: list[int]) -> list[LayerPass]:
    """Runs one document and keeps what went in and out of every layer and sublayer."""
    with ExitStack() as stack:
        recordings = [stack.enter_context(recording(layer)) for layer in model.model.layers]
        model(input_ids=torch.tensor([document]), use_cache=False)
    return [LayerPass(**record) for record in recordings]


@contextmanager
def recording(layer: nn.Module) -> Iterator[dict[str, Any]]:
    record: dict[str, Any] = {"layer": layer}

    def keep_layer(_module: Any, args: Any, keywords: Any, output: Tensor) -> None:
        record.update(keywords=keywords, input=args[0][0], output=output[0])

    def keep_attention(_module: Any, _args: Any, output: tuple[Tensor, Any]) -> None:
        record["attention"] = output[0][0]

    def keep_feed_forward(_module: Any, _args: Any, output: Tensor) -> None:
        record["feed_forward"] = output[0]

    handles = [
        layer.register_forward_hook(keep_layer, with_kwargs=True),
        layer.self_attn.register_forward_hook(keep_attention),
        layer.mlp.register_forward_hook(keep_feed_forward),
    ]
    yield record
    for handle in handles:
        handle.remove()


def skip_layer(layer: nn.Module) -> RemovableHandle:
    """The layer's output becomes its input."""
    return layer.register_forward_hook(lambda _module, args, _output: args[0])


def silence(sublayer: nn.Module) -> RemovableHandle:
    """The sublayer adds nothing to the residual stream."""

    def zero(_module: Any, _args: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (torch.zeros_like(output[0]), *output[1:])
        return torch.zeros_like(output)

    return sublayer.register_forward_hook(zero)


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
