"""Writes small TensorBoard event files with TensorBoard's own writer, into test/trainingRuns/events.

    pip install tensorboard
    python make_event_files.py
"""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

OUT = Path(__file__).resolve().parent.parent / "trainingRuns" / "events"


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("events.out.tfevents.*"):
        old.unlink()
    with SummaryWriter(str(OUT)) as writer:
        for step in range(10, 60, 10):
            writer.add_scalar("train/loss", 8.0 - step / 16, step)
            writer.add_scalar("train/learning_rate", 1e-3, step)
            # The newer style: a tensor of one number instead of a simple value.
            writer.add_scalar("eval/loss", 8.25 - step / 32, step, new_style=True)
        writer.add_text("note", "not a scalar", 50)
    (written,) = OUT.glob("events.out.tfevents.*")
    # The writer's own name holds the machine's.
    written.rename(OUT / "events.out.tfevents.1")


if __name__ == "__main__":
    main()
