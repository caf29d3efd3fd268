"""What every layer does and what removing it costs, in fp32, on held-out.txt.

    python evaluate.py pre-ln/step-2600 lns/step-2600 [--jacobian] [--json results.json]

Every excerpt, cut to the model's context, is one document.
"""

import argparse
import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn.attention import SDPBackend, sdpa_kernel

from data import excerpt_tokens
from model import CausalLM, Config


def load_checkpoint(folder: Path) -> tuple[CausalLM, Tokenizer]:
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = Config(**{key: fields[key] for key in Config.__annotations__ if key in fields})
    model = CausalLM(config)
    tensors = load_file(folder / "model.safetensors")
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return model.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def residual_stream(model: CausalLM, ids: torch.Tensor) -> list[torch.Tensor]:
    """x_0 … x_L of one document; x_i is the input of layer i."""
    stream = [model.model.embed_tokens(ids)]
    cos, sin = model.model.cos[: ids.shape[1]], model.model.sin[: ids.shape[1]]
    for layer in model.model.layers:
        stream.append(layer(stream[-1], cos, sin))
    return stream


def nll_from(model: CausalLM, x: torch.Tensor, first_layer: int, ids: torch.Tensor) -> float:
    """Mean token NLL of a document when x is what layer `first_layer` reads."""
    cos, sin = model.model.cos[: ids.shape[1]], model.model.sin[: ids.shape[1]]
    for layer in model.model.layers[first_layer:]:
        x = layer(x, cos, sin)
    logits = F.linear(model.model.norm(x), model.model.embed_tokens.weight)
    return F.cross_entropy(logits[0, :-1], ids[0, 1:]).item()


def jacobian_distance_squared(
    model: CausalLM, layer_index: int, x: torch.Tensor, generator: torch.Generator
) -> float:
    """‖(J − I)v‖² / Td for one Rademacher v: an unbiased estimate of ‖J − I‖²_F / ‖I‖²_F."""
    layer = model.model.layers[layer_index]
    cos, sin = model.model.cos[: x.shape[1]], model.model.sin[: x.shape[1]]
    v = torch.randint(2, x.shape, generator=generator).float() * 2 - 1
    # The fused attention kernel has no forward-mode derivative.
    with sdpa_kernel(SDPBackend.MATH):
        _, jv = torch.func.jvp(lambda y: layer(y, cos, sin), (x,), (v,))
    return (jv - v).square().mean().item()


def standard_error(values: torch.Tensor) -> torch.Tensor:
    """Of the mean over documents, the first dimension."""
    return values.std(0) / math.sqrt(len(values))


@torch.no_grad()
def evaluate(folder: Path, with_jacobian: bool) -> dict:
    model, tokenizer = load_checkpoint(folder)
    count = model.config.num_hidden_layers
    documents = [torch.from_numpy(ids)[None] for ids in excerpt_tokens(tokenizer)]
    generator = torch.Generator().manual_seed(0)

    variances, baselines, removals, distances = [], [], [], []
    for ids in documents:
        stream = residual_stream(model, ids)
        variances.append([x.var(-1, unbiased=False).mean().item() for x in stream])
        baselines.append(nll_from(model, stream[-1], count, ids))
        # Skipping layer i: layer i + 1 reads what layer i would have read.
        removals.append([nll_from(model, stream[i], i + 1, ids) for i in range(count)])
        if with_jacobian:
            distances.append(
                [jacobian_distance_squared(model, i, stream[i], generator) for i in range(count)]
            )

    weights = torch.tensor([ids.shape[1] for ids in documents], dtype=torch.float64)

    def token_mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return (weights / weights.sum()) @ values

    variance = torch.tensor(variances, dtype=torch.float64)
    baseline = torch.tensor(baselines, dtype=torch.float64)
    cost = torch.tensor(removals, dtype=torch.float64) - baseline[:, None]
    # The last token of a document predicts nothing.
    nll = token_mean(baseline, weights - 1).item()
    result = {
        "checkpoint": folder.as_posix(),
        "documents": len(documents),
        "predicted_tokens": int((weights - 1).sum()),
        "nll": nll,
        "perplexity": math.exp(nll),
        "embedding_variance": token_mean(variance, weights)[0].item(),
        "output_variance": token_mean(variance, weights)[1:].tolist(),
        "output_variance_se": standard_error(variance)[1:].tolist(),
        "removal_nll": token_mean(cost, weights - 1).tolist(),
        "removal_nll_se": standard_error(cost).tolist(),
    }
    if with_jacobian:
        result["jacobian_distance"] = (
            token_mean(torch.tensor(distances, dtype=torch.float64), weights).sqrt().tolist()
        )
    return result


def print_result(result: dict) -> None:
    print(
        f"{result['checkpoint']}: {result['documents']} documents, "
        f"{result['predicted_tokens']} predicted tokens, NLL {result['nll']:.4f}, "
        f"perplexity {result['perplexity']:.3f}"
    )
    print(f"{'layer':>5} {'variance':>10} {'±':>8} {'ΔNLL':>8} {'±':>7} {'Δppl':>7} {'‖J−I‖':>7}")
    for i, (variance, variance_se, cost, cost_se) in enumerate(
        zip(
            result["output_variance"],
            result["output_variance_se"],
            result["removal_nll"],
            result["removal_nll_se"],
        )
    ):
        distance = result.get("jacobian_distance")
        print(
            f"{i:>5} {variance:>10.4f} {variance_se:>8.4f} {cost:>8.4f} {cost_se:>7.4f} "
            f"{math.expm1(cost):>7.1%} {f'{distance[i]:.3f}' if distance else '':>7}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--jacobian", action="store_true", help="also ‖J − I‖, one probe each")
    parser.add_argument("--json", type=Path, help="write all numbers here")
    args = parser.parse_args()
    results = [evaluate(folder, args.jacobian) for folder in args.checkpoints]
    for result in results:
        print_result(result)
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
