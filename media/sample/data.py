"""The corpus: the Python standard library's sources and the language reference's topics.

Both come with the Python that runs this script (PSF licence). Every source file and every
topic is one document. Whole documents are held out by a hash of their name, so the split
depends on nothing but the name.
"""

import hashlib
import sysconfig
from pathlib import Path
from pydoc_data.topics import topics

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

END_OF_TEXT = "<|endoftext|>"
VOCAB_SIZE = 1024
HELD_OUT_FILE = Path(__file__).with_name("held-out.txt")

# Tests, vendored wheels, and files that are tables rather than prose or code.
SKIPPED_FOLDERS = {
    "__pycache__", "ensurepip", "encodings", "idlelib", "lib2to3", "msilib",
    "pydoc_data", "site-packages", "test", "tests",
}  # fmt: skip
SKIPPED_PREFIXES = ("_sysconfigdata", "config-", "plat-", "lib-dynload")
HELD_OUT_ONE_IN = 12


def documents() -> dict[str, str]:
    """Every document by name, in a fixed order."""
    root = Path(sysconfig.get_path("stdlib"))
    found = {}
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root)
        if SKIPPED_FOLDERS.intersection(name.parts):
            continue
        if any(part.startswith(SKIPPED_PREFIXES) for part in name.parts):
            continue
        text = path.read_text(encoding="utf-8", errors="strict")
        if text.strip():
            found[name.as_posix()] = text
    for topic in sorted(topics):
        found[f"topics/{topic}"] = topics[topic]
    return found


def is_held_out(name: str) -> bool:
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") % HELD_OUT_ONE_IN == 0


def split() -> tuple[dict[str, str], dict[str, str]]:
    """(training documents, held-out documents)"""
    everything = documents()
    training = {name: text for name, text in everything.items() if not is_held_out(name)}
    held_out = {name: text for name, text in everything.items() if is_held_out(name)}
    return training, held_out


def train_tokenizer(texts: list[str]) -> Tokenizer:
    """Byte-level BPE; encode() puts the end-of-text token in front, as in training."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END_OF_TEXT} $A",
        special_tokens=[(END_OF_TEXT, tokenizer.token_to_id(END_OF_TEXT))],
    )
    return tokenizer


def encode(tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """All documents as one stream, each begun by the end-of-text token."""
    encodings = tokenizer.encode_batch(texts)
    return np.concatenate([np.array(encoding.ids, dtype=np.int64) for encoding in encodings])


def held_out_excerpts(count: int = 40, characters: int = 1100) -> str:
    """The beginnings of `count` held-out documents, cut at the end of a line."""
    _, held_out = split()
    long_enough = [text for text in held_out.values() if len(text) >= characters]
    # Evenly spaced, so that sources and topics are both there.
    chosen = [long_enough[i * len(long_enough) // count] for i in range(count)]
    excerpts = [text[: text.rindex("\n", 0, characters) + 1] for text in chosen]
    return f"{END_OF_TEXT}\n".join(excerpts)


def excerpt_tokens(tokenizer: Tokenizer, length: int = 256) -> list[np.ndarray]:
    """The excerpts of held-out.txt, each cut to the model's context."""
    text = HELD_OUT_FILE.read_text(encoding="utf-8")
    encodings = tokenizer.encode_batch(text.split(f"{END_OF_TEXT}\n"))
    return [np.array(encoding.ids[:length], dtype=np.int64) for encoding in encodings]


if __name__ == "__main__":
    HELD_OUT_FILE.write_text(held_out_excerpts(), encoding="utf-8")
