"""Writes test/fixtures/gguf-blocks.json: random blocks of each ggml type and the float32 numbers that
ggml's own Python package (pip install "gguf==0.19.0") reads from them.

    python test/oracle/gguf_blocks.py
"""

import base64
import json
import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

TYPES = "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL".split()
# Byte offsets of the float16 scales in a block: made finite, because every NaN is written the same.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82],
    "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "IQ4_NL": [0],
}  # fmt: skip


def main() -> None:
    random = np.random.default_rng(20260)
    cases = {}
    for name in TYPES:
        kind = GGMLQuantizationType[name]
        elements, size = GGML_QUANT_SIZES[kind]
        count = 1024 // elements
        blocks = random.integers(0, 256, (count, size), dtype=np.uint8)
        for at in SCALES[name]:
            # Normal, subnormal and negative scales of every magnitude.
            scales = random.integers(0, 0x7C00, count).astype(np.uint16)
            scales |= (random.integers(0, 2, count) << 15).astype(np.uint16)
            blocks[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
        numbers = dequantize(blocks.reshape(-1), kind).astype("<f4")
        cases[name] = {
            "blocks": base64.b64encode(blocks.tobytes()).decode(),
            "numbers": base64.b64encode(numbers.tobytes()).decode(),
        }
    target = pathlib.Path(__file__).parents[1] / "fixtures" / "gguf-blocks.json"
    target.write_text(json.dumps(cases, indent=1) + "\n")


main()
