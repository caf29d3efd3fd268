"""Trains one twin and keeps its checkpoints in Hugging Face layout.

    python train.py --scheme pre-ln
    python train.py --scheme lns

and, to see what else there is, any scheme of schemes.py. Both twins start from the same weights and see the same batches in the same order; the only
difference is the factor 1/√ℓ on the norms of layer ℓ.
"""

import argparse
import csv
import json
import math
import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

from data import END_OF_TEXT, encode, split, train_tokenizer
from model import CausalLM, Config
from schemes import LAYERS, SchemeConfig, build, profile_admin

HERE = Path(__file__).resolve().parent
LOG_EVERY = 10


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scheme", choices=["pre-ln", "lns", *LAYERS], required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--keep", type=int, nargs="*", default=[250, 1000, 2000])
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--decay", type=float, default=0.25, help="last part of the steps")
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument("--grad-clip", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="default: a folder named after the scheme")
    parser.add_argument("--state", type=Path, help="resume from this file, and write it")
    return parser.parse_args()


def learning_rate_at(step: int, args: argparse.Namespace) -> float:
    """Linear warm-up, constant, then linear decay to a hundredth over the last part."""
    warmed_up = min(1.0, (step + 1) / args.warmup)
    decay_steps = args.decay * args.steps
    remaining = min(1.0, (args.steps - step) / decay_steps)
    return args.learning_rate * warmed_up * max(0.01, remaining)


class Batches:
    """Windows of the stream, shuffled anew in every epoch; a function of seed and step alone."""

    def __init__(self, stream: np.ndarray, batch_size: int, length: int, seed: int):
        self.stream = torch.from_numpy(stream)
        self.batch_size, self.length, self.seed = batch_size, length, seed
        # One window is given up so that each epoch can start at its own offset.
        self.per_epoch = ((len(stream) - 1) // length - 1) // batch_size
        self.epoch = -1
        self.starts = torch.empty(0)

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        epoch, index = divmod(step, self.per_epoch)
        if epoch != self.epoch:
            generator = torch.Generator().manual_seed(self.seed * 1000 + epoch)
            offset = int(torch.randint(self.length, (1,), generator=generator))
            windows = torch.randperm(self.per_epoch * self.batch_size, generator=generator)
            self.epoch, self.starts = epoch, offset + windows * self.length
        starts = self.starts[index * self.batch_size : (index + 1) * self.batch_size]
        windows = torch.stack([self.stream[s : s + self.length + 1] for s in starts.tolist()])
        return windows[:, :-1], windows[:, 1:]


@torch.no_grad()
def stream_loss(
    model: CausalLM, stream: np.ndarray, every: int = 1, batch_size: int = 32
) -> float:
    """Mean NLL in nats over windows that do not overlap: all of them, or one in `every`."""
    length = model.config.max_position_embeddings
    tokens = torch.from_numpy(stream)
    whole = (len(tokens) - 1) // length * length
    inputs = tokens[:whole].view(-1, length)[::every].split(batch_size)
    targets = tokens[1 : whole + 1].view(-1, length)[::every].split(batch_size)
    total = sum(
        F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum").item()
        for x, y in zip(inputs, targets)
    )
    return total / sum(y.numel() for y in targets)


def untrained(scheme: str) -> CausalLM:
    if scheme in LAYERS:
        groups = 4 if scheme == "group-ln" else 1
        return build(SchemeConfig(norm_scheme=scheme, norm_groups=groups))
    return CausalLM(Config(layer_norm_scaling=scheme == "lns"))


def hugging_face_config(config: Config, end_of_text: int) -> dict:
    fields = asdict(config)
    scaling = fields.pop("layer_norm_scaling")
    if fields.get("norm_groups") == 1:
        del fields["norm_groups"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **fields,
        "num_key_value_heads": config.num_attention_heads,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "rope_scaling": None,
        "bos_token_id": end_of_text,
        "eos_token_id": end_of_text,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        # Not a key of LlamaConfig, and no weight betrays it: without it the LNS twin would be
        # loaded as Pre-LN.
        **({"layer_norm_scaling": True} if scaling else {}),
    }


def save_checkpoint(
    folder: Path, model: CausalLM, tokenizer: Tokenizer, trainer_state: dict
) -> None:
    # Written beside its place and renamed, so that a reader never meets half a checkpoint.
    partial = folder.with_name(f".{folder.name}")
    partial.mkdir(parents=True, exist_ok=True)
    tensors = {name: t.to(torch.bfloat16).contiguous() for name, t in model.state_dict().items()}
    save_file(tensors, partial / "model.safetensors", metadata={"format": "pt"})
    (partial / "model.safetensors").chmod(0o644)
    end_of_text = tokenizer.token_to_id(END_OF_TEXT)
    write_json(partial / "config.json", hugging_face_config(model.config, end_of_text))
    write_json(
        partial / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": END_OF_TEXT,
            "eos_token": END_OF_TEXT,
            "model_max_length": model.config.max_position_embeddings,
            "clean_up_tokenization_spaces": False,
        },
    )
    write_json(partial / "trainer_state.json", trainer_state)
    tokenizer.save(str(partial / "tokenizer.json"))
    if folder.exists():
        for old in folder.iterdir():
            old.unlink()
        folder.rmdir()
    partial.rename(folder)


def write_json(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def write_log(path: Path, rows: list[dict]) -> None:
    columns = ["step", "tokens", "loss", "learning_rate", "held_out_loss"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    args = parse_arguments()
    out = args.out or HERE / args.scheme
    out.mkdir(parents=True, exist_ok=True)
    # Denormal numbers in the gradients of saturated softmaxes slow a CPU down badly.
    torch.set_flush_denormal(True)

    training, held_out = split()
    tokenizer = train_tokenizer(list(training.values()))
    training_stream = encode(tokenizer, list(training.values()))
    held_out_stream = encode(tokenizer, list(held_out.values()))
    print(
        f"{len(training)} training documents, {len(training_stream)} tokens; "
        f"{len(held_out)} held out, {len(held_out_stream)} tokens"
    )

    torch.manual_seed(args.seed)
    model = untrained(args.scheme)
    config = model.config
    print(f"{sum(p.numel() for p in model.parameters())} parameters")
    batches = Batches(training_stream, args.batch_size, config.max_position_embeddings, args.seed)
    if args.scheme == "admin":
        profile_admin(model, batches[0][0])

    matrices = [p for p in model.parameters() if p.dim() == 2]
    gains = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": args.weight_decay},
            {"params": gains, "weight_decay": 0.0},
        ],
        lr=args.learning_rate,
        betas=(0.9, 0.95),
        fused=True,
    )

    first_step, rows, seconds_before = 0, [], 0.0
    if args.state and args.state.exists():
        state = torch.load(args.state)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        first_step, rows, seconds_before = state["step"], state["rows"], state["seconds"]

    started = time.monotonic()
    recent_losses: list[float] = []
    for step in range(first_step, args.steps):
        learning_rate = learning_rate_at(step, args)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate

        inputs, targets = batches[step]
        loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.grad_clip)
        optimizer.step()
        optimizer.zero_grad()
        recent_losses.append(loss.item())

        done = step + 1
        keep = done in args.keep or done == args.steps
        if done % LOG_EVERY and not keep:
            continue
        row = {
            "step": done,
            "tokens": done * inputs.numel(),
            "loss": round(sum(recent_losses) / len(recent_losses), 4),
            "learning_rate": f"{learning_rate:.6g}",
            "held_out_loss": "",
        }
        recent_losses.clear()
        if keep:
            # A quarter of the windows is enough for the curve; the end is measured on all.
            row["held_out_loss"] = round(stream_loss(model, held_out_stream, every=4), 4)
        rows.append(row)
        seconds = seconds_before + time.monotonic() - started
        if done % 100 == 0 or keep:
            print(*row.values(), f"{seconds:.0f} s", flush=True)
            write_log(out / "training_log.csv", rows)
        if keep:
            trainer_state = {
                "global_step": done,
                "max_steps": args.steps,
                "epoch": round(done / batches.per_epoch, 4),
                "train_batch_size": args.batch_size,
                "num_input_tokens_seen": row["tokens"],
                "train_runtime": round(seconds),
                "log_history": rows[-1:],
            }
            save_checkpoint(out / f"step-{done}", model, tokenizer, trainer_state)
        if args.state and done % 250 == 0:
            partial = args.state.with_suffix(".partial")
            torch.save(
                {
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": done,
                    "rows": rows,
                    "seconds": seconds,
                },
                partial,
            )
            os.replace(partial, args.state)

    final_loss = stream_loss(model, held_out_stream)
    print(f"held-out documents: {final_loss:.4f} nats, perplexity {math.exp(final_loss):.2f}")


if __name__ == "__main__":
    main()
