/** Tokenizers to be fuzzed, in each form that checkpoints keep them in. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { findTokenizer } from "../../src/checkpoint/tokenizerSource";
import { encodeText } from "../../src/text/documents";
import { readTokenizer } from "../../src/text/tokenizer";
import type { TypedValue } from "../unit/support/gguf";
import { encodeGguf } from "../unit/support/gguf";
import type { Sample } from "./samples";
import { eachOf, whole } from "./samples";

const path = fileURLToPath(new URL("../fixtures/tokenizers.json", import.meta.url));
const { bpe, unigram, byteLevel, wordPiece } = JSON.parse(readFileSync(path, "utf8")) as {
  bpe: { model: string; llama2c: string };
  unigram: { model: string };
  byteLevel: { vocab: Record<string, number>; merges: string[] };
  wordPiece: { tokens: string[] };
};
const merges = byteLevel.merges.slice(0, 100);
const vocabulary = Object.keys(byteLevel.vocab).slice(0, 356);

export const tokenizerTargets = [
  ofFolders("tokenizer of llama2.c", { "tokenizer.bin": Buffer.from(bpe.llama2c, "base64") }),
  ofFolders("tokenizer of SentencePiece", {
    "tokenizer.model": Buffer.from(bpe.model, "base64"),
  }),
  ofFolders("unigram tokenizer of SentencePiece", {
    "spiece.model": Buffer.from(unigram.model, "base64"),
  }),
  ofFolders("ranked pieces", {
    "tokenizer.model": Buffer.from(
      Array.from({ length: 256 }, (_, at) => `${Buffer.of(at).toString("base64")} ${at}\n`).join(
        "",
      ),
    ),
  }),
  ofFolders("vocab.json and merges.txt", {
    "vocab.json": json(Object.fromEntries(vocabulary.map((token, id) => [token, id]))),
    "merges.txt": Buffer.from(`#version: 0.2\n${merges.join("\n")}\n`),
    "tokenizer_config.json": json({ add_bos_token: true, bos_token: { content: "!" } }),
  }),
  ofFolders("vocab.txt", {
    "vocab.txt": Buffer.from(`${wordPiece.tokens.join("\n")}\n`),
    "tokenizer_config.json": json({ do_lower_case: false, strip_accents: true }),
  }),
  ofFolders("vocab.json", { "vocab.json": json({ stoi: { a: 0, b: 1, " ": 2, "<unk>": 3 } }) }),
  ofFolders("tokenizer.json", {
    "tokenizer.json": json({
      version: "1.0",
      added_tokens: [{ id: 3, content: "<s>", special: true, normalized: false }],
      normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }, { type: "Lowercase" }] },
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      post_processor: {
        type: "TemplateProcessing",
        single: [
          { SpecialToken: { id: "<s>", type_id: 0 } },
          { Sequence: { id: "A", type_id: 0 } },
        ],
        pair: [],
        special_tokens: { "<s>": { id: "<s>", ids: [3], tokens: ["<s>"] } },
      },
      decoder: { type: "ByteLevel" },
      model: {
        type: "BPE",
        vocab: { a: 0, b: 1, ab: 2, "<s>": 3, Ġ: 4 },
        merges: [["a", "b"]],
        unk_token: null,
      },
    }),
  }),
  target(
    "tokenizers in GGUF",
    [
      inGguf([
        ["model", ["string", "gpt2"]],
        ["pre", ["string", "llama-bpe"]],
        ["tokens", ["array", "string", ["a", "b", "ab", "<|end|>"]]],
        ["token_type", ["array", "i32", [1, 1, 1, 3]]],
        ["merges", ["array", "string", ["a b"]]],
        ["bos_token_id", ["u32", 3]],
      ]),
      inGguf([
        ["model", ["string", "t5"]],
        ["tokens", ["array", "string", ["<unk>", "▁", "a", "b", "▁ab"]]],
        ["scores", ["array", "f32", [0, -1, -2, -3, -1.5]]],
        ["token_type", ["array", "i32", [2, 1, 1, 1, 4]]],
        ["precompiled_charsmap", ["array", "u8", [1, 2]]],
      ]),
    ],
    (file) => ({ kind: "gguf", path: file }),
  ),
];

type Source = Parameters<typeof readTokenizer>[0];

function ofFolders(name: string, files: Readonly<Record<string, Buffer>>) {
  return target(name, eachOf(files), (folder) => findTokenizer(folder, undefined));
}

function target(
  name: string,
  samples: readonly Sample[],
  find: (path: string) => Source | undefined | Promise<Source | undefined>,
) {
  return {
    name,
    samples,
    read: async (at: string) => {
      const source = await find(at);
      if (source === undefined) return [];
      return encodeText(await readTokenizer(source), "ab <s> ▁ naïve\n\n123", "text");
    },
    // A token of a few bytes becomes entries of the library's maps, and parts of its tries.
    multiple: 256,
  };
}

function inGguf(metadata: readonly (readonly [string, TypedValue])[]): Sample {
  const keyed = metadata.map(([key, value]) => [`tokenizer.ggml.${key}`, value] as const);
  return whole(encodeGguf({ metadata: keyed }));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
