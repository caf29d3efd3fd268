import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { readTokenizer } from "../../../../src/text/tokenizer";
import {
  copyFixture,
  editWeights,
  fixture,
  readJson,
  referenceOf,
  tokensOf,
} from "../../support/checkpoints";
import { failureOf } from "../../support/failures";
import type { TypedValue } from "../../support/gguf";
import { encodeGguf } from "../../support/gguf";
import { diagnoseHere } from "../../support/pipeline";
import type { StoredTensor, StoredTensors } from "../../support/safetensors";
import { decodeSafetensors } from "../../support/safetensors";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

/** Of the fixture `llama`, as its config.json states them. */
const llama = readJson(join(fixture("llama"), "config.json")) as Record<string, number>;

const keyValueHeads = llama["num_key_value_heads"] ?? llama["num_attention_heads"]!;

/** Rows of each head so ordered that the two channels of a rotary pair are neighbours. */
function interleaved(tensor: StoredTensor, heads: number): StoredTensor {
  const [rows] = tensor.shape as [number];
  const rowBytes = tensor.data.length / rows;
  const size = rows / heads;
  const data = new Uint8Array(tensor.data.length);
  for (let row = 0; row < rows; row++) {
    const [head, channel] = [Math.floor(row / size), row % size];
    const source = head * size + (channel % 2) * (size / 2) + Math.floor(channel / 2);
    data.set(tensor.data.subarray(source * rowBytes, (source + 1) * rowBytes), row * rowBytes);
  }
  return { ...tensor, data };
}

type Renaming = readonly (readonly [from: RegExp, to: string])[];

/** The tensors under other names, queries and keys with their pairs side by side. */
function renamed(tensors: StoredTensors, names: Renaming): StoredTensors {
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const [from, to] = names.find(([pattern]) => pattern.test(name))!;
      const heads = name.includes("q_proj")
        ? llama["num_attention_heads"]!
        : name.includes("k_proj")
          ? keyValueHeads
          : undefined;
      return [name.replace(from, to), heads ? interleaved(tensor, heads) : tensor];
    }),
  );
}

const metaNames: Renaming = [
  [/^model\.embed_tokens/, "tok_embeddings"],
  [/^model\.norm/, "norm"],
  [/^lm_head/, "output"],
  [/^model\.(layers\.\d+)\.input_layernorm/, "$1.attention_norm"],
  [/^model\.(layers\.\d+)\.post_attention_layernorm/, "$1.ffn_norm"],
  [/^model\.(layers\.\d+)\.self_attn\.(.)_proj/, "$1.attention.w$2"],
  [/^model\.(layers\.\d+)\.mlp\.gate_proj/, "$1.feed_forward.w1"],
  [/^model\.(layers\.\d+)\.mlp\.down_proj/, "$1.feed_forward.w2"],
  [/^model\.(layers\.\d+)\.mlp\.up_proj/, "$1.feed_forward.w3"],
];

const ggufNames: Renaming = [
  [/^model\.embed_tokens/, "token_embd"],
  [/^model\.norm/, "output_norm"],
  [/^lm_head/, "output"],
  [/^model\.layers\.(\d+)\.input_layernorm/, "blk.$1.attn_norm"],
  [/^model\.layers\.(\d+)\.post_attention_layernorm/, "blk.$1.ffn_norm"],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj/, "blk.$1.attn_output"],
  [/^model\.layers\.(\d+)\.self_attn\.(.)_proj/, "blk.$1.attn_$2"],
  [/^model\.layers\.(\d+)\.mlp\.(\w+)_proj/, "blk.$1.ffn_$2"],
];

const params = {
  dim: llama["hidden_size"],
  n_layers: llama["num_hidden_layers"],
  n_heads: llama["num_attention_heads"],
  n_kv_heads: keyValueHeads,
  norm_eps: llama["rms_norm_eps"],
  rope_theta: llama["rope_theta"] ?? 10_000,
  vocab_size: -1,
};

/** The fixture `llama` under Meta's names, with params.json's keys. */
function asMeta(change: (params: Record<string, unknown>) => unknown = (same) => same): string {
  const folder = copyFixture("llama", scratch());
  editWeights(folder, (tensors) => {
    const own = renamed(tensors, metaNames);
    tensors.clear();
    for (const [name, tensor] of own) tensors.set(name, tensor);
  });
  writeFileSync(join(folder, "config.json"), JSON.stringify(change({ ...params })));
  return folder;
}

/** The same as a GGUF file. */
function asGguf(changes: Record<string, TypedValue> = {}): string {
  const tensors = decodeSafetensors(readFileSync(join(fixture("llama"), "model.safetensors")));
  const metadata: Record<string, TypedValue> = {
    "general.architecture": ["string", "llama"],
    "llama.embedding_length": ["u32", llama["hidden_size"]],
    "llama.feed_forward_length": ["u32", llama["intermediate_size"]],
    "llama.block_count": ["u32", llama["num_hidden_layers"]],
    "llama.attention.head_count": ["u32", llama["num_attention_heads"]],
    "llama.attention.head_count_kv": ["u32", keyValueHeads],
    "llama.attention.layer_norm_rms_epsilon": ["f32", llama["rms_norm_eps"]],
    "llama.rope.freq_base": ["f32", llama["rope_theta"] ?? 10_000],
    ...changes,
  };
  const file = join(scratch(), "model.gguf");
  writeFileSync(
    file,
    encodeGguf({
      metadata: Object.entries(metadata),
      tensors: [...renamed(tensors, ggufNames)].map(([name, { shape, data }]) => ({
        name,
        dimensions: shape.toReversed(),
        type: 0,
        data,
      })),
    }),
  );
  return file;
}

async function tokensIn(path: string, text: string): Promise<number[]> {
  const { tokenizer } = await openCheckpoint(path);
  const { prefix, encode } = await readTokenizer(tokenizer!);
  return [...prefix, ...encode(text)];
}

async function lossOf(path: string, documents = tokensOf("llama")): Promise<number> {
  const report = await diagnoseHere(path, { documents, metrics: ["variance"] });
  return report.baseline!.nll;
}

describe("a Llama in another dialect", () => {
  const expected = (referenceOf("llama")["baseline"] as { nll: number }).nll;

  it.each([
    ["Meta's names", () => asMeta()],
    ["Meta's names, its settings under model_args", () => asMeta((own) => ({ model_args: own }))],
    ["GGUF", () => asGguf()],
  ])("computes in %s what PyTorch computes", async (_, make) => {
    expect(await lossOf(make())).toBeCloseTo(expected, 4);
  });

  it("names layers and norms as the file does", async () => {
    const documents = tokensOf("llama").slice(0, 1);
    const { architecture, layers } = await diagnoseHere(asGguf(), {
      documents,
      metrics: ["variance"],
    });
    expect(layers[1]!.path).toBe("blk.1");
    expect(architecture.norms!.map(({ path }) => path)).toEqual([
      "blk.*.attn_norm",
      "blk.*.ffn_norm",
      "output_norm",
    ]);
    expect(architecture.reading).toEqual({ source: "family" });
  });

  it.each<[string, Record<string, TypedValue>, string[]]>([
    [
      "an architecture that is not known",
      { "general.architecture": ["string", "mamba"] },
      ['"general.architecture" is "mamba"', "llama, qwen2"],
    ],
    [
      "experts of which it does not say how many a token goes through",
      { "llama.expert_count": ["u32", 8] },
      ['"llama.expert_used_count" is missing', "needs it"],
    ],
    [
      "scores that are scaled in a way that Llama's are not",
      { "llama.attention.scale": ["f32", 0.5] },
      ['"llama.attention.scale" is 0.5', "not known to heed it"],
    ],
    [
      "heads that are rotated in part",
      { "llama.rope.dimension_count": ["u32", 2] },
      ['"llama.rope.dimension_count" is 2', "expected"],
    ],
    [
      "a stretching of positions that is not known",
      { "llama.rope.scaling.type": ["string", "yarn"], "llama.rope.scaling.factor": ["f32", 4] },
      ["yarn", "supported are"],
    ],
  ])("of %s is refused", async (_, changes, words) => {
    const message = await failureOf(lossOf(asGguf(changes)), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });

  it("with a key missing names it", async () => {
    const folder = asMeta((own) => ({ ...own, n_heads: null }));
    const message = await failureOf(lossOf(folder), CheckpointError);
    expect(message).toContain('"n_heads" is null');
  });
});

const shared = fileURLToPath(new URL("../../../../../shared/checkpoints/", import.meta.url));

describe.skipIf(!existsSync(shared))("real checkpoints", () => {
  const text =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. " +
    "One day, she saw a big dog. The dog was very happy and wanted to play with her.";

  it("of stories260K are one model in three files", async () => {
    const files = [
      "stories260k-llama2c/checkpoint_v0.bin",
      "stories260k-llama2c/checkpoint_v1.bin",
      "stories260k-gguf/stories260K.gguf",
    ];
    const documents = [await tokensIn(join(shared, files[0]!), text)];
    const losses = await Promise.all(files.map((file) => lossOf(join(shared, file), documents)));
    expect(losses[1]).toBeCloseTo(losses[0]!, 6);
    expect(losses[2]).toBeCloseTo(losses[0]!, 4);
    // Far below that of chance, log 512.
    expect(losses[0]).toBeLessThan(3);
  });

  it("of llama2xs are one model, as trained and as exported", async () => {
    const documents = [await tokensIn(join(shared, "stories260k-llama2c/checkpoint_v0.bin"), text)];
    const trained = await lossOf(join(shared, "llama2xs/ckpt.pt"), documents);
    expect(await lossOf(join(shared, "llama2xs/model.bin"), documents)).toBeCloseTo(trained, 5);
    expect(trained).toBeLessThan(4);
  });
});
