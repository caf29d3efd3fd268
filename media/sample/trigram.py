"""The baseline: an interpolated modified Kneser–Ney trigram over the same tokens.

    python trigram.py

It counts the whole training stream, whatever part of it a twin has seen, and is scored on
every held-out token but the first, as train.py scores the twins.
"""

import math

import numpy as np

from data import VOCAB_SIZE, encode, excerpt_tokens, split, train_tokenizer


class Order:
    """One order of the model: discounted counts of (context, token), contexts as integers.

    p(w | c) = max(n(c, w) − D(n), 0) / n(c) + λ(c) · p_lower(w | c')
    λ(c) = Σ_w D(n(c, w)) / n(c)
    """

    def __init__(self, grams: np.ndarray, counts: np.ndarray):
        of_count = [np.count_nonzero(counts == k) for k in (1, 2, 3, 4)]
        y = of_count[0] / (of_count[0] + 2 * of_count[1])
        # Chen & Goodman (1998), equation 26: D(1), D(2), D(3+).
        discounts = np.array(
            [0.0, *(k - (k + 1) * y * of_count[k] / of_count[k - 1] for k in (1, 2, 3))]
        )
        discount = discounts[np.minimum(counts, 3)]
        self.grams, self.discounted = grams, counts - discount
        contexts, context_of = np.unique(grams // VOCAB_SIZE, return_inverse=True)
        self.contexts = contexts
        self.totals = np.bincount(context_of, weights=counts)
        self.backoff = np.bincount(context_of, weights=discount) / self.totals

    def probability(self, grams: np.ndarray, lower: np.ndarray) -> np.ndarray:
        context, seen = find(self.contexts, grams // VOCAB_SIZE)
        gram, gram_seen = find(self.grams, grams)
        direct = np.where(gram_seen, self.discounted[gram], 0.0) / self.totals[context]
        return np.where(seen, direct + self.backoff[context] * lower, lower)


def find(table: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of every key in the sorted table, and whether it is there."""
    index = np.minimum(np.searchsorted(table, keys), len(table) - 1)
    return index, table[index] == keys


class Trigram:
    def __init__(self, stream: np.ndarray):
        v = VOCAB_SIZE
        trigrams, counts = np.unique(
            (stream[:-2] * v + stream[1:-1]) * v + stream[2:], return_counts=True
        )
        # The lower orders count the distinct tokens that come before a gram, not the gram.
        bigrams, continuations = np.unique(trigrams % v**2, return_counts=True)
        tokens, token_continuations = np.unique(bigrams % v, return_counts=True)
        self.third = Order(trigrams, counts)
        self.second = Order(bigrams, continuations)
        unigram = np.zeros(v)
        unigram[tokens] = token_continuations
        # A little uniform mass for tokens that training never saw.
        self.unigram = (unigram + 0.5) / (unigram + 0.5).sum()

    def probability(self, before: np.ndarray, last: np.ndarray, token: np.ndarray) -> np.ndarray:
        bigram = last * VOCAB_SIZE + token
        lower = self.second.probability(bigram, self.unigram[token])
        return self.third.probability(before * VOCAB_SIZE**2 + bigram, lower)

    def loss(self, stream: np.ndarray) -> float:
        """Mean NLL in nats of every token but the first, which opens a document."""
        # What comes before a document's first token is not part of the document.
        before = np.concatenate([stream[:1], stream[:-2]])
        return -float(np.log(self.probability(before, stream[:-1], stream[1:])).mean())


def main() -> None:
    training, held_out = split()
    tokenizer = train_tokenizer(list(training.values()))
    trigram = Trigram(encode(tokenizer, list(training.values())))

    # p must be a distribution over the vocabulary, after seen and unseen contexts alike.
    for before, last in [(0, 300), (1023, 1022), (401, 500)]:
        every = np.arange(VOCAB_SIZE)
        total = trigram.probability(np.full_like(every, before), np.full_like(every, last), every)
        assert abs(total.sum() - 1) < 1e-9

    loss = trigram.loss(encode(tokenizer, list(held_out.values())))
    print(f"held-out documents: {loss:.4f} nats, perplexity {math.exp(loss):.2f}")
    documents = excerpt_tokens(tokenizer)
    tokens = sum(len(ids) - 1 for ids in documents)
    loss = sum(trigram.loss(ids) * (len(ids) - 1) for ids in documents) / tokens
    print(f"held-out.txt: {loss:.4f} nats, perplexity {math.exp(loss):.2f}")


if __name__ == "__main__":
    main()
