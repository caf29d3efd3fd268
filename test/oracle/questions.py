"""What a model is fed of each document, and what its head is asked."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# The share of tokens that are masked (BERT, arXiv 1810.04805).
MASKED_SHARE = 0.15
WORD = 2**32


@dataclass
class Question:
    # Token ids, or an image [channels, height, width].
    tokens: list[int] | Tensor
    # Whose logits are asked for, and the tokens that are right there.
    positions: list[int]
    targets: list[int]
    # What the encoder reads of a model whose decoder reads `tokens`.
    source: list[int] | None = None

    def batches(self) -> list[Tensor]:
        """What the model is fed: batches of one."""
        if isinstance(self.tokens, Tensor):
            return [self.tokens[None]]
        return [torch.tensor([ids]) for ids in (self.tokens, self.source) if ids is not None]


@dataclass
class Image:
    pixels: Tensor
    label: int


def next_tokens(document: list[int]) -> Question:
    return Question(document, list(range(len(document) - 1)), document[1:])


def masked(document: list[int], mask_token: int, seed: int, index: int) -> Question:
    """The tokens that the diagnosis hides with this seed in the document of this index."""
    shares = [bits / WORD for bits, _ in zip(sfc32([seed, index]), document)]
    least = shares.index(min(shares))
    hidden = [
        at for at in range(len(document)) if shares[at] < MASKED_SHARE or at == least
    ]
    tokens = [mask_token if at in hidden else token for at, token in enumerate(document)]
    return Question(tokens, hidden, [document[at] for at in hidden])


@dataclass
class Corruption:
    """T5's pre-training task (arXiv 1910.10683, section 3.1.4)."""

    # Each further sentinel is the token before.
    first_sentinel: int
    start: int
    end: int


CORRUPTED_SHARE = 0.15
MEAN_SPAN = 3
MOST_SENTINELS = 100


def span_corrupted(
    document: list[int], corruption: Corruption, seed: int, index: int
) -> Question:
    """The spans that the diagnosis hides with this seed in the document of this index."""
    if len(document) > 1 and document[-1] == corruption.end:
        document = document[:-1]
    hidden = max(1, min(math.floor(len(document) * CORRUPTED_SHARE + 0.5), len(document) - 1))
    kept = len(document) - hidden
    most = min(kept, MOST_SENTINELS, corruption.first_sentinel + 1)
    spans = max(1, min(math.floor(hidden / MEAN_SPAN + 0.5), most))
    shares = [bits / WORD for bits, _ in zip(sfc32([seed, index]), range(hidden - 1 + kept - 1))]
    source: list[int] = []
    target: list[int] = []
    rest = iter(document)
    lengths = zip(parts(kept, spans, shares[hidden - 1 :]), parts(hidden, spans, shares[: hidden - 1]))
    for span, (visible, covered) in enumerate(lengths):
        sentinel = corruption.first_sentinel - span
        source += [*itertools.islice(rest, visible), sentinel]
        target += [sentinel, *itertools.islice(rest, covered)]
    source.append(corruption.end)
    target.append(corruption.end)
    return Question([corruption.start, *target[:-1]], list(range(len(target))), target, source)


def parts(tokens: int, count: int, shares: list[float]) -> list[int]:
    """Lengths of so many parts, cut where the shares are smallest."""
    cuts = sorted(sorted(range(len(shares)), key=lambda at: shares[at])[: count - 1])
    ends = [0, *(cut + 1 for cut in cuts), tokens]
    return [end - start for start, end in itertools.pairwise(ends)]


def sfc32(key: list[int]) -> Iterator[int]:
    """sfc32 of PractRand, each number of the key mixed in by 15 rounds (src/diagnosis/random.ts)."""
    a, b, c, counter = 0x9E3779B9, 0x243F6A88, 0xB7E15162, 1

    def step() -> int:
        nonlocal a, b, c, counter
        total = (a + b + counter) % WORD
        counter = (counter + 1) % WORD
        a = b ^ (b >> 9)
        b = (c + (c << 3)) % WORD
        c = (((c << 21) | (c >> 11)) + total) % WORD
        return total

    for part in key:
        a ^= part % WORD
        b ^= part // WORD
        for _ in range(15):
            step()
    while True:
        yield step()
