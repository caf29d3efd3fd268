"""What a model is fed of each document, and what its head is asked."""

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

    def batch(self) -> Tensor:
        """What the model is fed: a batch of one."""
        return self.tokens[None] if isinstance(self.tokens, Tensor) else torch.tensor([self.tokens])


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
