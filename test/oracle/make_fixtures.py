"""Makes tiny random checkpoints and their reference values.

    python make_fixtures.py                      the committed cases, into test/fixtures
    python make_fixtures.py --out DIR            the same, elsewhere
    python make_fixtures.py --out DIR --seed 7   other cases, shapes drawn at random
"""

import argparse
import shutil
import zlib
from pathlib import Path

import numpy as np
import torch
import transformers

from cases import CASES, Case
from checkpoints import write_checkpoint, write_json
from estimators import rounded
from fresh import fresh_cases
from reference import Documents, documents_of, load_model, questions_of, reference, token_losses

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def main() -> None:
    arguments = parse_arguments()
    # One thread and no autotuned kernels: the same bytes every time.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    cases = CASES if arguments.seed is None else fresh_cases(arguments.seed, arguments.count)
    for case in cases:
        if not arguments.only or case.name in arguments.only:
            make(case, arguments.out / case.name)
            print(case.name, flush=True)


def make(case: Case, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    write_checkpoint(case, folder)
    documents = documents_of(folder)
    values = reference(folder, documents, zlib.crc32(case.seed_text.encode()))
    if "baseline" in values:
        check_float32(folder, documents, values["baseline"]["nll"])
    made_with = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    write_json(folder / "reference.json", rounded({"madeWith": made_with, **values}), indent=1)


def check_float32(folder: Path, documents: Documents, nll: float) -> None:
    """transformers as anyone runs it must give the same loss: the float64 mode changes nothing."""
    with torch.no_grad():
        model = load_model(folder, torch.float32)
        losses = token_losses(model, questions_of(model, documents))
    plain = float(np.concatenate(losses).mean())
    if abs(plain - nll) > 1e-5:
        raise SystemExit(f"{folder.name}: NLL {nll} in float64, but {plain} in float32")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the oracle's checkpoints and references.")
    parser.add_argument("--out", type=Path, default=FIXTURES, help="folder to write the cases to")
    parser.add_argument("--seed", type=int, help="make random cases of this seed instead")
    parser.add_argument("--count", type=int, default=8, help="how many random cases")
    parser.add_argument("--only", nargs="*", metavar="CASE", help="names of the cases to make")
    arguments = parser.parse_args()
    if arguments.seed is not None and arguments.out == FIXTURES:
        parser.error("--seed needs --out: random cases are not committed")
    return arguments


if __name__ == "__main__":
    main()
