/** What is fuzzed: each reader, and valid files of its format. */
import { readGguf } from "../../src/checkpoint/formats/gguf/gguf";
import { readLlama2c } from "../../src/checkpoint/formats/llama2c";
import { readSafetensors } from "../../src/checkpoint/formats/safetensors";
import { encodeGguf } from "../unit/support/gguf";
import type { GgufFixture } from "../unit/support/gguf";
import { encodeLlama2c, tinyLlama2c } from "../unit/support/llama2c";
import { encodeSafetensors, float32Tensor } from "../unit/support/safetensors";
import { imageTargets } from "./imageTargets";
import { openSome, readSome } from "./readSome";
import type { Sample } from "./samples";
import { eachOf, real, whole } from "./samples";
import { tokenizerTargets } from "./tokenizerTargets";
import { torchTargets } from "./torchTargets";

export interface Target {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** Reads a file or a folder; whatever it throws must be an error of ours. */
  readonly read: (path: string) => Promise<unknown>;
  /**
   * Bytes that reading may allocate in all, kept or not, as a multiple of the files' size, beside what is
   * spare in any case.
   */
  readonly multiple: number;
}

const safetensors = encodeSafetensors(
  [
    ["a", float32Tensor([1, 2, 3, 4, 5, 6], [2, 3])],
    ["b", { dtype: "F8_E4M3", shape: [4], data: new Uint8Array(4) }],
    ["b_scale", float32Tensor([2], [1])],
  ],
  { format: "pt" },
);
const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;

const gguf: GgufFixture = {
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
    ["f", ["f64", 0.5]],
    ["tokenizer.ggml.model", ["string", "llama"]],
    ["tokenizer.ggml.tokens", ["array", "string", ["<unk>", "a", "b", "ab"]]],
  ],
  tensors: [
    { name: "w", dimensions: [3, 2], type: 0, data: new Uint8Array(24) },
    { name: "q", dimensions: [32, 2], type: 8, data: new Uint8Array(68) },
    { name: "k", dimensions: [256], type: 12, data: new Uint8Array(144) },
  ],
};

export const targets: readonly Target[] = [
  {
    name: "safetensors",
    samples: [
      whole(safetensors),
      ...real("retsim-gau/model.safetensors", 8192),
      ...real("capp-gpt2-onnx-and-hf/model.safetensors", 8192),
    ],
    read: async (path) => readSome((await readSafetensors(path)).tensors),
    multiple: 4,
  },
  {
    name: "safetensors in shards",
    samples: eachOf({
      "model.safetensors.index.json": Buffer.from(
        JSON.stringify({
          metadata: { total_size: 28 },
          weight_map: { a: shards[0], b: shards[0], b_scale: shards[0], c: shards[1] },
        }),
      ),
      [shards[0]]: safetensors,
      [shards[1]]: encodeSafetensors([["c", float32Tensor([1], [1])]]),
      "config.json": Buffer.from(
        '{"model_type": "llama", "quantization_config": {"weight_block_size": [2, 2]}}',
      ),
    }),
    read: openSome,
    multiple: 4,
  },
  {
    name: "GGUF",
    samples: [whole(encodeGguf(gguf)), ...real("stories260k-gguf/stories260K.gguf", 14176)],
    read: async (path) => readSome((await readGguf(path)).tensors),
    // The header is read in pieces, each four times as long as the one before.
    multiple: 6,
  },
  {
    name: "GGUF in parts",
    samples: eachOf(
      Object.fromEntries(
        [0, 1].map((part) => [
          `model-0000${part + 1}-of-00002.gguf`,
          encodeGguf({
            metadata: [
              ["split.count", ["u16", 2]],
              ["split.no", ["u16", part]],
              ["split.tensors.count", ["i32", 3]],
            ],
            tensors: gguf.tensors!.slice(part, 2 * part + 1),
          }),
        ]),
      ),
    ),
    read: openSome,
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
  ...torchTargets,
  ...tokenizerTargets,
  ...imageTargets,
];
