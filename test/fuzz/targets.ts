/** What is fuzzed: each reader, and valid files of its format, small ones and the heads of real ones. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TensorEntry } from "../../src/checkpoint/checkpoint";
import { elementCount } from "../../src/checkpoint/checkpoint";
import { readGguf } from "../../src/checkpoint/formats/gguf/gguf";
import { readLlama2c } from "../../src/checkpoint/formats/llama2c";
import { readSafetensors } from "../../src/checkpoint/formats/safetensors";
import { readTensor } from "../../src/checkpoint/readTensor";
import type { TokenizerSource } from "../../src/checkpoint/tokenizerSource";
import { readTokenizer } from "../../src/text/tokenizer";
import { encodeGguf } from "../unit/support/gguf";
import { encodeLlama2c, tinyLlama2c } from "../unit/support/llama2c";
import { encodeSafetensors, float32Tensor } from "../unit/support/safetensors";
import type { Sample } from "./mutate";
import { torchTargets } from "./torchTargets";

export interface Target {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** Reads a file; whatever it throws must be a CheckpointError. */
  readonly read: (path: string) => Promise<unknown>;
  /** Bytes of buffers that reading may take, as a multiple of the file's size, beside one mebibyte. */
  readonly multiple: number;
}

export const targets: readonly Target[] = [
  {
    name: "safetensors",
    samples: [
      whole(
        encodeSafetensors(
          [
            ["a", float32Tensor([1, 2, 3, 4, 5, 6], [2, 3])],
            ["b", { dtype: "F8_E4M3", shape: [4], data: new Uint8Array(4) }],
          ],
          { format: "pt" },
        ),
      ),
      ...real("retsim-gau/model.safetensors", 8192),
    ],
    read: async (path) => readSome((await readSafetensors(path)).tensors),
    multiple: 4,
  },
  {
    name: "GGUF",
    samples: [
      whole(
        encodeGguf({
          metadata: [
            ["general.architecture", ["string", "llama"]],
            ["general.alignment", ["u32", 32]],
            [
              "a",
              [
                "array",
                "array",
                [
                  ["array", "u8", [1, 2]],
                  ["array", "string", ["x"]],
                ],
              ],
            ],
            ["split.count", ["u16", 1]],
            ["f", ["f64", 0.5]],
            ["tokenizer.ggml.model", ["string", "llama"]],
            ["tokenizer.ggml.tokens", ["array", "string", ["<unk>", "a", "b", "ab"]]],
          ],
          tensors: [
            { name: "w", dimensions: [3, 2], type: 0, data: new Uint8Array(24) },
            { name: "q", dimensions: [32, 2], type: 8, data: new Uint8Array(68) },
            { name: "k", dimensions: [256], type: 12, data: new Uint8Array(144) },
          ],
        }),
      ),
      ...real("stories260k-gguf/stories260K.gguf", 14176),
    ],
    read: async (path) => readSome((await readGguf(path)).tensors),
    // The header is read in pieces, each four times as long as the one before.
    multiple: 6,
  },
  {
    name: "llama2.c",
    samples: [
      ...([0, 1, 2] as const).map((version) =>
        whole(encodeLlama2c({ ...tinyLlama2c, version }).file),
      ),
      ...real("stories260k-llama2c/checkpoint_v0.bin", 28),
      ...real("stories260k-llama2c/checkpoint_v1.bin", 256),
    ],
    read: async (path) => readSome((await readLlama2c(path)).tensors),
    multiple: 8,
  },
  tokenizer("tokenizer of llama2.c", "llama2.c", () => ofOracle("llama2c")),
  tokenizer("tokenizer of SentencePiece", "tokenizer.model", () => ofOracle("model")),
  tokenizer("tokenizer in GGUF", "gguf", () =>
    encodeGguf({
      metadata: [
        ["tokenizer.ggml.model", ["string", "gpt2"]],
        ["tokenizer.ggml.pre", ["string", "llama-bpe"]],
        ["tokenizer.ggml.tokens", ["array", "string", ["a", "b", "ab", "<|end|>"]]],
        ["tokenizer.ggml.token_type", ["array", "i32", [1, 1, 1, 3]]],
        ["tokenizer.ggml.merges", ["array", "string", ["a b"]]],
        ["tokenizer.ggml.bos_token_id", ["u32", 3]],
      ],
    }),
  ),
  ...torchTargets,
];

function tokenizer(name: string, kind: TokenizerSource["kind"], sample: () => Buffer): Target {
  return {
    name,
    samples: [whole(sample())],
    read: async (path) => {
      const { encode } = await readTokenizer({ kind, path } as TokenizerSource);
      return encode("ab <s> ▁ naïve\n\n123");
    },
    multiple: 64,
  };
}

/** The numbers of tensors that are not large: what a directory says must hold when it is used. */
async function readSome(tensors: readonly TensorEntry[]): Promise<void> {
  for (const tensor of tensors.slice(0, 3)) {
    if (elementCount(tensor.shape) <= 10_000) await readTensor(tensor);
  }
}

function whole(file: Buffer): Sample {
  return { head: file, bytes: file.length };
}

/** The beginning of a real file, where there is one, at its true length. */
function real(name: string, headBytes: number): Sample[] {
  const shared = fileURLToPath(new URL("../../../shared/checkpoints/", import.meta.url));
  const path = join(shared, name);
  if (!existsSync(path)) return [];
  const file = openSync(path, "r");
  const head = Buffer.alloc(headBytes);
  readSync(file, head, 0, headBytes, 0);
  const { size } = fstatSync(file);
  closeSync(file);
  return [{ head, bytes: size }];
}

function ofOracle(key: "llama2c" | "model"): Buffer {
  const path = fileURLToPath(new URL("../fixtures/tokenizers.json", import.meta.url));
  const { bpe } = JSON.parse(readFileSync(path, "utf8")) as { bpe: Record<string, string> };
  return Buffer.from(bpe[key]!, "base64");
}
