import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Architecture } from "../../../../src/architecture/description";
import { readArchitecture } from "../../../../src/architecture/readArchitecture";
import { elementCount, isTensorEntry } from "../../../../src/checkpoint/checkpoint";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { readTensor } from "../../../../src/checkpoint/readTensor";
import {
  copyFixture,
  editConfig,
  editWeights,
  readJson,
  tokensOf,
} from "../../support/checkpoints";
import type { TypedValue } from "../../support/gguf";
import { encodeGguf } from "../../support/gguf";
import { pseudoRandom } from "../../support/numbers";
import { diagnoseHere } from "../../support/pipeline";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const converted = fileURLToPath(new URL("../../../fixtures-gguf/", import.meta.url));
const cases = readdirSync(converted)
  .filter((name) => name.endsWith(".json"))
  .map((name) => name.replace(".json", ""));

/** The fixture that a file was converted from, with what was changed of it. */
function original(name: string): string {
  const changes = readJson(join(converted, `${name}.json`)) as Record<string, unknown>;
  const folder = copyFixture(name, scratch());
  editConfig(folder, changes);
  const { num_hidden_layers: layers } = changes;
  if (typeof layers === "number") {
    editWeights(folder, (tensors) => {
      for (const tensor of tensors.keys()) {
        if (Number(/layers\.(\d+)\./.exec(tensor)?.[1] ?? 0) >= layers) tensors.delete(tensor);
      }
    });
  }
  return folder;
}

/**
 * What a description says, without where its tensors lie and what the format changes: which channels are
 * rotated together, and what is added to the weights of norms. Numbers are as exact as float32.
 */
function withoutPlaces(value: unknown): unknown {
  if (typeof value === "number") return Number(value.toPrecision(6));
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutPlaces);
  if (isTensorEntry(value)) return { shape: value.shape };
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !["path", "pairing", "weightOffset", "scheme"].includes(key))
      .map(([key, inner]) => [key, withoutPlaces(inner)]),
  );
}

async function describedFrom(path: string): Promise<Architecture> {
  return (await readArchitecture(await openCheckpoint(path))).architecture({});
}

async function measured(path: string, documents: number[][]): Promise<number[]> {
  const { baseline, layers } = await diagnoseHere(path, { documents, metrics: ["variance"] });
  return [
    ...(baseline ? [baseline.nll] : []),
    ...layers.map(({ outputVariance }) => outputVariance!.mean),
  ];
}

describe("a model converted to GGUF", () => {
  it("has been converted from every family whose conversion is known", () => {
    expect(cases.length).toBeGreaterThan(37);
  });

  it.each(cases)("%s is described as before", async (name) => {
    const before = await describedFrom(original(name));
    const after = await describedFrom(join(converted, `${name}.gguf`));
    expect(withoutPlaces(after)).toEqual(withoutPlaces(before));
    expect(after.scheme.name).toBe(before.scheme.name);
  });

  it.each(cases)("%s computes what it did", async (name) => {
    const documents = tokensOf(name).slice(0, 2);
    const after = await measured(join(converted, `${name}.gguf`), documents);
    expectAlike(after, await measured(original(name), documents));
  });
});

describe("the head of a T5", () => {
  /** A whole T5 of the smallest size, whose head is of these numbers. */
  async function scaleWith(head: Float32Array | undefined): Promise<number | undefined> {
    const random = pseudoRandom(3);
    const numbers = (count: number): Float32Array =>
      Float32Array.from({ length: count }, () => random());
    const tensor = (name: string, shape: number[], data = numbers(elementCount(shape))) => ({
      name,
      dimensions: shape.toReversed(),
      type: float32,
      data: new Uint8Array(data.buffer),
    });
    const layer = (stack: string, attentions: string[]) => [
      ...attentions.flatMap((kind) => [
        ...["q", "k", "v", "o"].map((part) =>
          tensor(`${stack}.blk.0.${kind}_${part}.weight`, [8, 8]),
        ),
        tensor(`${stack}.blk.0.${kind}_norm.weight`, [8]),
      ]),
      tensor(`${stack}.blk.0.attn_rel_b.weight`, [8, 2]),
      tensor(`${stack}.blk.0.ffn_norm.weight`, [8]),
      tensor(`${stack}.blk.0.ffn_up.weight`, [16, 8]),
      tensor(`${stack}.blk.0.ffn_down.weight`, [8, 16]),
      tensor(`${stack}.output_norm.weight`, [8]),
    ];
    const file = join(scratch(), "t5.gguf");
    const of = (key: string): string => `t5.${key}`;
    const metadata: [string, TypedValue][] = [
      ["general.architecture", ["string", "t5"]],
      [of("embedding_length"), ["u32", 8]],
      [of("feed_forward_length"), ["u32", 16]],
      [of("block_count"), ["u32", 1]],
      [of("attention.head_count"), ["u32", 2]],
      [of("attention.key_length"), ["u32", 4]],
      [of("attention.value_length"), ["u32", 4]],
      [of("attention.relative_buckets_count"), ["u32", 8]],
      [of("attention.layer_norm_rms_epsilon"), ["f32", 1e-6]],
    ];
    const tensors = [
      tensor("token_embd.weight", [32, 8], embedding),
      ...(head ? [tensor("output.weight", [32, 8], head)] : []),
      ...layer("enc", ["attn"]),
      ...layer("dec", ["attn", "cross_attn"]),
    ];
    writeFileSync(file, encodeGguf({ metadata, tensors }));
    const { stack, head: described } = await describedFrom(file);
    expect(stack).toBe("decoder");
    return described?.scale;
  }

  const random = pseudoRandom(5);
  const embedding = Float32Array.from({ length: 256 }, () => random());

  it("is fed a scaled state where it is the embedding, once or twice in the file", async () => {
    expect(await scaleWith(undefined)).toBeCloseTo(1 / Math.sqrt(8));
    expect(await scaleWith(embedding.map((value) => value * 1.01))).toBeCloseTo(1 / Math.sqrt(8));
  });

  it("is fed the state as it is where it is its own", async () => {
    expect(await scaleWith(Float32Array.from({ length: 256 }, () => random()))).toBe(1);
  });
});

describe("a spoilt model", () => {
  it("is described, or refused with a reason", { timeout: 120_000 }, async () => {
    const files = cases.map((name) => readFileSync(join(converted, `${name}.gguf`)));
    const path = join(scratch(), "spoilt.gguf");
    const property = fc.asyncProperty(
      fc.nat(files.length - 1),
      // Sizes and counts are in the metadata and the tensors' entries, behind each other's names.
      fc.array(fc.record({ place: fc.nat(6000), byte: fc.nat(255) }), {
        minLength: 1,
        maxLength: 4,
      }),
      async (at, changes) => {
        const file = Buffer.from(files[at]!);
        for (const { place, byte } of changes) file[place] = byte;
        writeFileSync(path, file);
        await describedFrom(path).catch((error: unknown) => {
          if (!(error instanceof CheckpointError)) throw error;
        });
      },
    );
    await fc.assert(property, { numRuns: 600, seed: 11 });
  });
});

function expectAlike(figures: readonly number[], expected: readonly number[]): void {
  expect(figures.length).toBe(expected.length);
  for (const [at, figure] of figures.entries()) {
    expect(Math.abs(figure / expected[at]! - 1)).toBeLessThan(2e-5);
  }
}

/** A small model whose tensors are of random numbers, its matrices in blocks. */
interface Model {
  metadata: Record<string, TypedValue>;
  /** Sizes, outermost first, of tensors outside the layers and of those of each layer. */
  outside: Record<string, readonly number[]>;
  inLayers: Record<string, readonly number[]>;
}

const vocabulary = 64;
const sizes = (architecture: string, more: Record<string, TypedValue>): Model["metadata"] => ({
  "general.architecture": ["string", architecture],
  ...Object.fromEntries(
    Object.entries({
      embedding_length: ["u32", 64],
      feed_forward_length: ["u32", 96],
      block_count: ["u32", 2],
      context_length: ["u32", 32],
      "attention.head_count": ["u32", 4],
      "attention.layer_norm_epsilon": ["f32", 1e-5],
      "attention.layer_norm_rms_epsilon": ["f32", 1e-5],
      ...more,
    } satisfies Record<string, TypedValue>).map(([key, value]) => [
      `${architecture}.${key}`,
      value,
    ]),
  ),
});
const both = (name: string, output: number, input: number): Model["inLayers"] => ({
  [`${name}.weight`]: [output, input],
  [`${name}.bias`]: [output],
});
const norm = (name: string): Model["inLayers"] => ({
  [`${name}.weight`]: [64],
  [`${name}.bias`]: [64],
});
/** With biases, and one norm for both sublayers. */
const fusedLayer: Model["inLayers"] = {
  ...norm("attn_norm"),
  ...both("attn_qkv", 192, 64),
  ...both("attn_output", 64, 64),
  ...both("ffn_up", 96, 64),
  ...both("ffn_down", 64, 96),
};
const ends = { "token_embd.weight": [vocabulary, 64], "output_norm.weight": [64] };

/** One of each way in which tensors lie otherwise than a family has them. */
const inBlocks: Record<string, Model> = {
  "GPT-2, whose linears are the other way round": {
    metadata: sizes("gpt2", {}),
    outside: { ...ends, "output_norm.bias": [64], "position_embd.weight": [32, 64] },
    inLayers: { ...fusedLayer, ...norm("ffn_norm") },
  },
  "GPT-NeoX, whose projections are fused head by head": {
    metadata: sizes("gptneox", {
      use_parallel_residual: ["bool", true],
      "rope.dimension_count": ["u32", 8],
    }),
    outside: { ...ends, "output_norm.bias": [64], "output.weight": [vocabulary, 64] },
    inLayers: { ...fusedLayer, ...norm("ffn_norm") },
  },
  "Falcon, whose projections are fused by key-value head": {
    metadata: sizes("falcon", { "attention.head_count_kv": ["u32", 2] }),
    outside: { ...ends, "output_norm.bias": [64] },
    inLayers: {
      ...norm("attn_norm"),
      ...norm("attn_norm_2"),
      "attn_qkv.weight": [128, 64],
      "attn_output.weight": [64, 64],
      "ffn_up.weight": [96, 64],
      "ffn_down.weight": [64, 96],
    },
  },
  "Phi-2, as it was first converted": {
    metadata: sizes("phi2", { "rope.dimension_count": ["u32", 8] }),
    outside: { ...ends, "output_norm.bias": [64], ...both("output", vocabulary, 64) },
    inLayers: fusedLayer,
  },
  "Mixtral, whose experts are stacked": {
    metadata: sizes("llama", { expert_count: ["u32", 3], expert_used_count: ["u32", 2] }),
    outside: { ...ends, "output.weight": [vocabulary, 64] },
    inLayers: {
      "attn_norm.weight": [64],
      "ffn_norm.weight": [64],
      "attn_q.weight": [64, 64],
      "attn_k.weight": [64, 64],
      "attn_v.weight": [64, 64],
      "attn_output.weight": [64, 64],
      "ffn_gate_inp.weight": [3, 64],
      "ffn_gate_exps.weight": [3, 96, 64],
      "ffn_up_exps.weight": [3, 96, 64],
      "ffn_down_exps.weight": [3, 64, 96],
    },
  },
  "DeepSeek, whose latent keys and values are apart": {
    metadata: sizes("deepseek2", {
      leading_dense_block_count: ["u32", 2],
      "attention.kv_lora_rank": ["u32", 32],
      "attention.key_length_mla": ["u32", 64],
      "attention.value_length_mla": ["u32", 32],
      "rope.dimension_count": ["u32", 32],
      expert_count: ["u32", 4],
      expert_used_count: ["u32", 2],
      expert_group_count: ["u32", 1],
      expert_feed_forward_length: ["u32", 32],
    }),
    outside: { ...ends, "output.weight": [vocabulary, 64] },
    inLayers: {
      "attn_norm.weight": [64],
      "ffn_norm.weight": [64],
      "attn_q.weight": [256, 64],
      "attn_kv_a_mqa.weight": [64, 64],
      "attn_kv_a_norm.weight": [32],
      "attn_k_b.weight": [4, 32, 32],
      "attn_v_b.weight": [4, 32, 32],
      "attn_output.weight": [64, 128],
      "ffn_gate.weight": [96, 64],
      "ffn_up.weight": [96, 64],
      "ffn_down.weight": [64, 96],
    },
  },
};

const [float32, q8, q4] = [0, 8, 2] as const;

/** Writes a model with random blocks for matrices, and random numbers near 1 for vectors. */
function writeInBlocks(
  { metadata, outside, inLayers }: Model,
  type: typeof q8 | typeof q4,
): string {
  const random = pseudoRandom(7);
  const blockBytes = type === q8 ? 34 : 18;
  const shapes = [
    ...Object.entries(outside),
    ...[0, 1].flatMap((layer) =>
      Object.entries(inLayers).map(([name, shape]) => [`blk.${layer}.${name}`, shape] as const),
    ),
  ];
  const file = join(scratch(), "model.gguf");
  const content = encodeGguf({
    metadata: Object.entries(metadata),
    tensors: shapes.map(([name, shape]) => {
      const count = elementCount(shape);
      const dimensions = shape.toReversed();
      if (shape.length === 1) {
        const numbers = Float32Array.from({ length: count }, () => 1 + random() / 2);
        return { name, dimensions, type: float32, data: new Uint8Array(numbers.buffer) };
      }
      const data = Uint8Array.from(
        { length: (count / 32) * blockBytes },
        () => 128 * (1 + random()),
      );
      for (let at = 0; at < data.length; at += blockBytes) {
        // A factor of 2^-9, or 2^-5 of fewer bits.
        data.set([0, type === q8 ? 0x18 : 0x28], at);
      }
      return { name, dimensions, type, data };
    }),
  });
  writeFileSync(file, content);
  return file;
}

/** The same file with the numbers that the blocks stand for. */
async function unpacked(path: string, metadata: Model["metadata"]): Promise<string> {
  const { tensors } = await openCheckpoint(path);
  const plain = [...tensors.values()].map(async (tensor) => ({
    name: tensor.name,
    dimensions: tensor.shape.toReversed(),
    type: float32,
    data: new Uint8Array((await readTensor(tensor)).buffer),
  }));
  const file = join(scratch(), "unpacked.gguf");
  writeFileSync(
    file,
    encodeGguf({ metadata: Object.entries(metadata), tensors: await Promise.all(plain) }),
  );
  return file;
}

describe("a model in blocks", () => {
  const documents = [[3, 60, 11, 7, 7, 29, 40, 2, 51]];

  it.each(
    Object.entries(inBlocks).flatMap(([name, model]) => [
      [name, "Q8_0", model, q8] as const,
      [name, "Q4_0", model, q4] as const,
    ]),
  )("of %s computes in %s what its numbers do", async (_, __, model, type) => {
    const file = writeInBlocks(model, type);
    const before = await measured(await unpacked(file, model.metadata), documents);
    expectAlike(await measured(file, documents), before);
  });
});
