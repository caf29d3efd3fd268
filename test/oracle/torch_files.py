"""Writes tiny files of torch.save in every form people save weights, and what PyTorch holds of each.

    python torch_files.py                 into test/fixtures-torch
    python torch_files.py --out DIR       elsewhere

`expected.json` lists for each file the tensors by name: dtype, shape and, of floating point ones, the
values. Files of the older format name their storages by addresses, so they differ from run to run.
"""

import argparse
import collections
import dataclasses
import enum
import json
import os
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.distributed.checkpoint as dcp
from torch import nn

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures-torch"

DTYPES = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
    torch.float8_e4m3fnuz,
    torch.float8_e5m2fnuz,
    torch.float8_e8m0fnu,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.uint16,
    torch.uint32,
    torch.uint64,
    torch.bool,
    torch.complex32,
    torch.complex64,
    torch.complex128,
]


@dataclasses.dataclass
class Config:
    n_layer: int = 2
    n_head: int = 4
    rope: bool = True
    name: str = "tiny"
    sizes: tuple = (1, 2)


class Activation(enum.Enum):
    GELU = "gelu"


class CharTokenizer:
    def __init__(self, text: str):
        self.chars = sorted(set(text))
        self.stoi = {c: i for i, c in enumerate(self.chars)}
        self.itos = {i: c for i, c in enumerate(self.chars)}


class Block(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.heads = 2
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)
        self.register_buffer("mask", torch.tril(torch.ones(3, 3)))
        self.register_buffer("passing", torch.ones(3), persistent=False)


class Model(nn.Module):
    def __init__(self, width: int = 4):
        super().__init__()
        self.config = Config()
        self.embedding = nn.Embedding(5, width)
        self.blocks = nn.ModuleList([Block(width), Block(width)])
        self.head = nn.Linear(width, 5, bias=False)
        self.head.weight = self.embedding.weight

    def forward(self, x):
        return self.head(self.embedding(x))


class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=FIXTURES)
    out = parser.parse_args().out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    # The older format keeps the source of each module's class where it finds it.
    torch.serialization.get_source_lines_and_file = no_source
    expected = {}

    def save(name: str, value: object, tensors: dict, **options) -> None:
        torch.manual_seed(0)
        torch.save(value, out / name, **options)
        expected[name] = described(tensors)

    torch.manual_seed(0)
    numbers = torch.tensor([0.0, 1.0, 2.0, 0.5, 16.0, 8.0, 0.25, 4.0])
    types = {str(dtype).removeprefix("torch."): cast(numbers, dtype) for dtype in DTYPES}
    save("dtypes.pt", types, types)
    old = {name: value for name, value in types.items() if not name.startswith(("float8", "uint1", "uint3", "uint6", "complex32"))}
    save("dtypes-legacy.pt", old, old, _use_new_zipfile_serialization=False)
    save("protocol4.pt", old, old, pickle_protocol=4)
    save("protocol4-legacy.pt", old, old, pickle_protocol=4, _use_new_zipfile_serialization=False)

    base = torch.arange(24.0).reshape(4, 6)
    layouts = collections.OrderedDict(
        whole=base,
        turned=base.t(),
        rows=base[1:3],
        columns=base[:, 2:4],
        every_other=base[::2, 1::2],
        tied=base,
        scalar=base[2, 3],
        empty=torch.empty(0, 3),
        expanded=torch.tensor([[1.0], [2.0]]).expand(2, 3),
        permuted=torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        parameter=nn.Parameter(torch.tensor([1.5, 2.5])),
    )
    save("layouts.pt", layouts, layouts)
    save("layouts-legacy.pt", layouts, layouts, _use_new_zipfile_serialization=False)

    model = Model()
    state = model.state_dict()
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.tensor([1, 2])).sum().backward()
    optimizer.step()
    state = {name: value.detach().clone() for name, value in model.state_dict().items()}
    state["head.weight"] = state["embedding.weight"]
    save("bare.pt", state, state)
    beside = {"optimizer": optimizer.state_dict(), "iter_num": 7, "best_val_loss": torch.tensor(1.25)}
    args = {"n_layer": 2, "n_head": 2, "n_embd": 4, "bias": False}
    save("nanogpt.pt", {"model": {f"_orig_mod.{k}": v for k, v in state.items()}, "model_args": args, **beside}, state)
    save("ddp.pt", {"model_state_dict": {f"module.{k}": v for k, v in state.items()}, "epoch": 3}, state)
    save("ema.pt", {"ema": {k: v * 0 for k, v in state.items()}, "net": state, "step": np.int64(5), "loss": np.float32(0.5)}, state)
    save(
        "lightning.ckpt",
        {
            "epoch": 1,
            "global_step": 10,
            "pytorch-lightning_version": "2.5.0",
            "state_dict": {f"net.{k}": v for k, v in state.items()},
            "loops": {"fit_loop": {"state_dict": {}}},
            "optimizer_states": [optimizer.state_dict()],
            "hyper_parameters": {"width": 4, "activation": Activation.GELU},
        },
        state,
    )
    save("objects.pt", {"config": Config(), "tokenizer": CharTokenizer("fathom"), "state_dict": state, "nested": {"a": [1, 2.5, None, 2**70]}}, state)
    save("module.pt", model, state)
    save("module-legacy.pt", model, state, _use_new_zipfile_serialization=False)
    save("parts.pt", {"encoder": {"w": base, "b": base[0]}, "decoder": {"w": base + 1, "b": base[1]}},
         {"encoder.w": base, "encoder.b": base[0], "decoder.w": base + 1, "decoder.b": base[1]})
    scripted = Scripted()
    torch.jit.save(torch.jit.script(scripted), str(out / "scripted.pt"))
    expected["scripted.pt"] = described(scripted.state_dict())

    sharded = list(state.items())
    os.makedirs(out / "sharded", exist_ok=True)
    weight_map = {}
    for number, part in enumerate([sharded[:3], sharded[3:]], 1):
        file = f"pytorch_model-0000{number}-of-00002.bin"
        torch.save({k: v.clone() for k, v in part}, out / "sharded" / file)
        weight_map.update({k: file for k, _ in part})
    index = {"metadata": {}, "weight_map": weight_map}
    (out / "sharded" / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    expected["sharded"] = described(state)

    meta(out / "consolidated", expected)
    distributed(out / "distributed", expected)
    zero(out / "zero3", expected)
    (out / "expected.json").write_text(json.dumps(expected) + "\n")


def meta(folder: Path, expected: dict) -> None:
    """Two shards as Meta's llama writes them (column- and row-parallel layers)."""
    folder.mkdir(exist_ok=True)
    width, hidden, vocabulary, kv = 8, 12, 10, 4
    shapes = {
        "tok_embeddings.weight": ((vocabulary, width), 1),
        "norm.weight": ((width,), None),
        "output.weight": ((vocabulary, width), 0),
        "layers.0.attention.wq.weight": ((width, width), 0),
        "layers.0.attention.wk.weight": ((kv, width), 0),
        "layers.0.attention.wv.weight": ((kv, width), 0),
        "layers.0.attention.wo.weight": ((width, width), 1),
        "layers.0.feed_forward.w1.weight": ((hidden, width), 0),
        "layers.0.feed_forward.w2.weight": ((width, hidden), 1),
        "layers.0.feed_forward.w3.weight": ((hidden, width), 0),
        "layers.0.attention_norm.weight": ((width,), None),
        "layers.0.ffn_norm.weight": ((width,), None),
        "rope.freqs": ((2,), None),
    }
    torch.manual_seed(1)
    whole = {name: torch.randn(shape).bfloat16() for name, (shape, _) in shapes.items()}
    for rank in range(2):
        part = {
            name: tensor if shapes[name][1] is None else tensor.chunk(2, shapes[name][1])[rank].clone()
            for name, tensor in whole.items()
        }
        torch.save(part, folder / f"consolidated.0{rank}.pth")
    (folder / "params.json").write_text(
        json.dumps({"dim": width, "n_heads": 4, "n_kv_heads": 2, "n_layers": 1, "vocab_size": -1, "norm_eps": 1e-5})
    )
    expected["consolidated"] = described(whole)


def zero(folder: Path, expected: dict) -> None:
    """What DeepSpeed's ZeRO stage 3 keeps of two processes, laid out as zero_to_fp32.py reads it."""
    (folder / "global_step7").mkdir(parents=True, exist_ok=True)
    (folder / "latest").write_text("global_step7")
    torch.manual_seed(3)
    groups = [
        {"embedding.weight": torch.randn(5, 3), "layer.weight": torch.randn(3, 3)},
        {"layer.bias": torch.randn(3), "scale": torch.randn(1)},
    ]
    frozen = {"position.weight": torch.randn(3, 3)}
    buffers = {"mask": torch.tril(torch.ones(2, 2))}
    for rank in range(2):
        flat = [torch.cat([share(value, rank) for value in group.values()]) for group in groups]
        model = {
            "module": {**{k: torch.empty(0) for group in groups for k in group}, **buffers},
            "buffer_names": ["mask"],
            "param_shapes": [{k: v.shape for k, v in group.items()} for group in groups],
            "frozen_param_shapes": {k: v.shape for k, v in frozen.items()},
            "frozen_param_fragments": {k: share(v, rank) for k, v in frozen.items()},
            "shared_params": {"head.weight": "embedding.weight"},
            "ds_version": "0.16.0",
        }
        optimizer = {"zero_stage": 3, "partition_count": 2, "fp32_flat_groups": flat}
        part = folder / "global_step7" / f"zero_pp_rank_{rank}_mp_rank_00"
        torch.save(model, f"{part}_model_states.pt")
        torch.save({"optimizer_state_dict": optimizer}, f"{part}_optim_states.pt")
    whole = {k: v for group in groups for k, v in group.items()} | frozen | buffers
    expected["zero3"] = expected["zero3/global_step7"] = described({**whole, "head.weight": whole["embedding.weight"]})


def share(value: torch.Tensor, rank: int) -> torch.Tensor:
    numbers = value.reshape(-1)
    padded = torch.cat([numbers, torch.zeros(numbers.numel() % 2)])
    return padded.chunk(2)[rank].clone()


def distributed(folder: Path, expected: dict) -> None:
    """A distributed checkpoint of two ranks that share tensors by rows and by blocks."""
    import torch.multiprocessing as mp

    shutil.rmtree(folder, ignore_errors=True)
    # The path is kept in the checkpoint.
    os.chdir(folder.parent)
    mp.spawn(distributed_rank, args=(folder.name,), nprocs=2)
    expected["distributed"] = described(distributed_tensors())


def distributed_tensors() -> dict:
    torch.manual_seed(2)
    return {
        "blocks.0.weight": torch.randn(5, 4),
        "blocks.0.bias": torch.randn(4).bfloat16(),
        "columns.weight": torch.randn(4, 6),
    }


def distributed_rank(rank: int, folder: str) -> None:
    import torch.distributed as dist
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29531", RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    tensors = distributed_tensors()
    placements = {"blocks.0.weight": Shard(0), "blocks.0.bias": Replicate(), "columns.weight": Shard(1)}
    state = {name: distribute_tensor(value, mesh, [placements[name]]) for name, value in tensors.items()}
    moments = {f"state.{name}.exp_avg": value * 0 for name, value in state.items()}
    dcp.save({"model": state, "optimizer": moments, "step": 3}, checkpoint_id=folder)
    dist.destroy_process_group()


def no_source(_: object) -> None:
    raise OSError


def cast(numbers: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    if dtype == torch.float8_e8m0fnu:
        return torch.arange(120, 128, dtype=torch.uint8).view(dtype)
    return numbers.to(dtype)


def described(tensors: dict) -> dict:
    return {name: described_tensor(value.detach()) for name, value in tensors.items()}


def described_tensor(value: torch.Tensor) -> dict:
    known = {"dtype": str(value.dtype).removeprefix("torch."), "shape": list(value.shape)}
    if value.dtype.is_floating_point and value.dtype != torch.float8_e8m0fnu:
        known["values"] = value.to(torch.float32).reshape(-1).tolist()
    return known


if __name__ == "__main__":
    # Classes are pickled under the name of the module they were imported from.
    sys.modules["training"] = sys.modules["__main__"]
    for item in (Config, Activation, CharTokenizer, Block, Model):
        item.__module__ = "training"
    main()
