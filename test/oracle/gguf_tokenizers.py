"""Writes test/fixtures/tokenizers.json: small tokenizers trained on the default text, in the formats
that checkpoints keep them in, and the ids that the Python libraries give for some texts.

    pip install sentencepiece==0.2.3 tokenizers==0.23.3
    python test/oracle/gguf_tokenizers.py
"""

import base64
import io
import json
import pathlib
import struct

import sentencepiece
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from tokenizers.implementations import BertWordPieceTokenizer

ROOT = pathlib.Path(__file__).parents[2]
DEFAULT = (ROOT / "media" / "text" / "default.txt").read_text()
TEXTS = [
    DEFAULT[:1500],
    "Hello world",
    " leading and trailing ",
    "  Two  spaces,\ttabs\n\n\nand    lines\r\n\r\nof text   \n",
    "def f(x):\n    return x + 1  # it's 1234567.89, DON'T we'll I'D\n",
    "na\u00efve caf\u00e9 e\u0301 \u00dcBER \u65e5\u672c\u8a9e\u306e\u6587 \U0001f600 \u2581 \u0661\u0662\u0663 \u00bd \u041f\u0440\u0438\u0432\u0435\u0442",
    "<s>literal</s> <0x0A> <|endoftext|>",
    "aaaaaaaaaa bananas aabbaabb",
]
CORPUS = [line for line in DEFAULT.split("\n") if line]

# As the tokenizer.json of GPT-2, Llama 3, Qwen 2, StarCoder, Falcon, Mistral Nemo, GPT-4o,
# DeepSeek-Coder and DeepSeek-V3 state them.
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4O = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
DEEPSEEK3 = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def digits(individual):
    return pre_tokenizers.Digits(individual_digits=individual)


SPLITTINGS = {
    "gpt-2": [split(GPT2)],
    "llama-bpe": [split(LLAMA3)],
    "qwen2": [split(QWEN2)],
    "starcoder": [digits(True), split(GPT2)],
    "falcon": [
        pre_tokenizers.Punctuation("contiguous"),
        split(GPT2),
        digits(False),
        split("[0-9][0-9][0-9]"),
    ],
    "tekken": [split(TEKKEN)],
    "gpt-4o": [split(GPT4O)],
    "deepseek-coder": [
        split("[\r\n]"),
        split(r"\s?\p{L}+"),
        split(r"\s?\p{P}+"),
        split("[一-龥ࠀ-一가-퟿]+"),
        digits(True),
    ],
    "deepseek-v3": [split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK3)],
}


def sentence_piece(kind, **options):
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=written,
        model_type=kind,
        minloglevel=2,
        num_threads=1,
        **options,
    )
    model = written.getvalue()
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [
        {
            "text": processor.id_to_piece(at),
            "score": processor.get_score(at),
            "kind": 2 if processor.is_unknown(at)
            else 3 if processor.is_control(at)
            else 6 if processor.is_byte(at)
            else 4 if processor.id_to_piece(at) in options.get("user_defined_symbols", [])
            else 1,
        }
        for at in range(len(processor))
    ]  # fmt: skip
    return {
        "model": base64.b64encode(model).decode(),
        "pieces": pieces,
        "ids": [processor.encode(text) for text in TEXTS],
    }


def llama2c(case):
    """As llama2.c's tokenizer.py writes it."""
    parts = [struct.pack("<I", max(len(piece["text"].encode()) for piece in case["pieces"]))]
    for at, piece in enumerate(case["pieces"]):
        text = {1: "\n<s>\n", 2: "\n</s>\n"}.get(at, piece["text"]).replace("\u2581", " ").encode()
        parts.append(struct.pack("<fI", piece["score"], len(text)) + text)
    return base64.b64encode(b"".join(parts)).decode()


def byte_level():
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.train_from_iterator(
        CORPUS,
        trainers.BpeTrainer(
            vocab_size=500,
            show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        ),
    )
    state = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in state["merges"]]
    ids = {}
    for name, splits in SPLITTINGS.items():
        whole = name in ("llama-bpe", "tekken")
        tokenizer = Tokenizer(models.BPE(state["vocab"], merges, ignore_merges=whole))
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
        if name == "qwen2":
            tokenizer.normalizer = normalizers.NFC()
        ids[name] = [tokenizer.encode(text).ids for text in TEXTS]
    return {"vocab": state["vocab"], "merges": [" ".join(pair) for pair in merges], "ids": ids}


def word_piece():
    trained = BertWordPieceTokenizer(lowercase=True)
    trained.train_from_iterator(CORPUS, vocab_size=400, min_frequency=2, show_progress=False)
    tokens = sorted(trained.get_vocab(), key=trained.get_vocab().get)
    ids = {}
    for lowercase in (True, False):
        fresh = BertWordPieceTokenizer({t: i for i, t in enumerate(tokens)}, lowercase=lowercase)
        ids[str(lowercase).lower()] = [
            fresh.encode(text, add_special_tokens=False).ids for text in TEXTS
        ]
    return {"tokens": tokens, "ids": ids}


def main():
    bpe = sentence_piece(
        "bpe", vocab_size=420, byte_fallback=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True,
    )  # fmt: skip
    cases = {
        "texts": TEXTS,
        "bpe": {**bpe, "llama2c": llama2c(bpe)},
        "bpeNoPrefix": sentence_piece(
            "bpe", vocab_size=420, byte_fallback=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, add_dummy_prefix=False, user_defined_symbols=["\u2581\u2581", "\n"],
        ),
        "bpeUnknown": sentence_piece("bpe", vocab_size=300, normalization_rule_name="identity"),
        "unigram": sentence_piece("unigram", vocab_size=300, normalization_rule_name="identity"),
        "byteLevel": byte_level(),
        "wordPiece": word_piece(),
    }  # fmt: skip
    target = ROOT / "test" / "fixtures" / "tokenizers.json"
    target.write_text(json.dumps(cases, ensure_ascii=True, separators=(",", ":")) + "\n")


main()
