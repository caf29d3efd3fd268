"""Executes edited training code: LayerNorm Scaling scales exactly the block norms' outputs.

    python verify.py ORIGINALS EDITED

Each model under ORIGINALS is a file (or a package) with `build()`, which returns a module and its
inputs, and a statement of what is to be scaled, written by hand and unknown to the edit:

    SCALED        a pattern over module paths; group 1 is the layer index
    CALLS         or names in torch.nn.functional, with index_of_call(call, calls), the layer index
                  of the call or None

The edited model, given the original's weights, must compute what the original computes when those
outputs are multiplied by 1/sqrt(index + 1) from outside, in float64.
"""

import copy
import importlib
import math
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.nn.functional as F


def main(originals: Path, edited: Path) -> int:
    names = sorted(path.stem for path in originals.iterdir() if not path.name.startswith(("_", ".")))
    failures = 0
    for name in names:
        try:
            print(f"  {name}: {verify(name, originals, edited)}")
        except Exception as error:  # every model is tried, whatever the one before it did
            failures += 1
            print(f"  {name}: FAILED: {type(error).__name__}: {error}")
    print(f"LayerNorm Scaling: {len(names) - failures} of {len(names)} edited models are right")
    return 1 if failures or not names else 0


def verify(name: str, originals: Path, edited: Path) -> str:
    original_module = load(originals, name)
    torch.manual_seed(0)
    original, inputs = original_module.build()
    randomise(original)
    original.double()
    inputs = tuple(value.double() if value.is_floating_point() else value for value in inputs)

    model, _ = load(edited, name).build()
    model.double()
    if list(model.state_dict()) != list(original.state_dict()):
        raise AssertionError("the state dict's keys changed")
    if [key for key, _ in model.named_buffers()] != [key for key, _ in original.named_buffers()]:
        raise AssertionError("a buffer was added")
    model.load_state_dict(original.state_dict())

    scaled = 0
    for training in (False, True):
        original.train(training)
        model.train(training)
        plain = flat(original(*inputs))
        with scaling(original_module, original, inputs) as count:
            expected = flat(original(*inputs))
        got = flat(model(*inputs))
        if torch.allclose(plain, expected):
            raise AssertionError("scaling changes nothing, so this shows nothing")
        if not torch.allclose(got, expected, rtol=1e-10, atol=1e-12):
            error = (got - expected).abs().max().item()
            unscaled = (got - plain).abs().max().item()
            raise AssertionError(f"outputs differ by {error:.3g} (from the unscaled by {unscaled:.3g})")
        scaled = count[0]

    twin = copy.deepcopy(model)
    if getattr(original_module, "COPIES", True) and not torch.equal(flat(twin(*inputs)), got):
        raise AssertionError("a deep copy computes something else")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    target = torch.randn_like(got)
    before = F.mse_loss(flat(model(*inputs)), target)
    before.backward()
    optimizer.step()
    after = F.mse_loss(flat(model(*inputs)), target)
    if not after < before:
        raise AssertionError(f"a training step took the loss from {before:.4g} to {after:.4g}")
    return f"{scaled} outputs scaled"


def load(folder: Path, name: str):
    """A fresh import: the original and the edited code share their names."""
    for loaded in [key for key in sys.modules if key == name or key.startswith(f"{name}.")]:
        del sys.modules[loaded]
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


def randomise(model: torch.nn.Module) -> None:
    """Weights for which every norm matters: none is left at ones or zeros."""
    with torch.no_grad():
        for parameter in model.parameters():
            spread = 0.3 * torch.randn_like(parameter)
            parameter.copy_(1 + spread if parameter.dim() == 1 else spread)


@contextmanager
def scaling(module, model: torch.nn.Module, inputs):
    """Scales the stated outputs of the original from outside; yields how many there are."""
    count = [0]
    if hasattr(module, "SCALED"):
        handles = []
        for path, norm in model.named_modules():
            match = re.fullmatch(module.SCALED, path)
            if match is None:
                continue
            count[0] += 1
            factor = scale(int(match[1]))
            handles.append(norm.register_forward_hook(lambda _, __, y, factor=factor: y * factor))
        try:
            yield count
        finally:
            for handle in handles:
                handle.remove()
        return

    with counted(module.CALLS, lambda _: 1.0) as total:
        model(*inputs)

    def factor_of(call):
        index = module.index_of_call(call, total[0])
        count[0] += index is not None
        return 1.0 if index is None else scale(index)

    with counted(module.CALLS, factor_of):
        yield count


@contextmanager
def counted(names, factor_of):
    """Replaces functions of torch.nn.functional by ones whose n-th output is scaled."""
    calls = [0]
    originals = {name: getattr(F, name) for name in names}

    def wrap(function):
        def replaced(*args, **kwargs):
            factor = factor_of(calls[0])
            calls[0] += 1
            return function(*args, **kwargs) * factor

        return replaced

    for name, function in originals.items():
        setattr(F, name, wrap(function))
    try:
        yield calls
    finally:
        for name, function in originals.items():
            setattr(F, name, function)


def scale(index: int) -> float:
    return 1.0 / math.sqrt(index + 1)


def flat(output) -> torch.Tensor:
    """Everything a model returns, as one vector."""
    if isinstance(output, torch.Tensor):
        return output.flatten()
    return torch.cat([flat(part) for part in output if part is not None])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
