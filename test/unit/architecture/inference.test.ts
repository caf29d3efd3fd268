import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Settings } from "../../../src/architecture/reading";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import {
  copyFixture,
  editWeights,
  fixture,
  readJson,
  referenceOf,
  tokensOf,
} from "../support/checkpoints";
import { failureOf } from "../support/failures";
import { diagnoseHere } from "../support/pipeline";
import type { StoredTensor, StoredTensors } from "../support/safetensors";
import { float32Tensor, floatsOf } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const gpt2 = readJson(join(fixture("gpt2"), "config.json")) as Record<string, number>;
const hidden = gpt2["n_embd"]!;
const heads = gpt2["n_head"]!;
const headSize = hidden / heads;

/** What the fixture `gpt2` is, said of it where its names do not. */
const truth: Settings = {
  heads: String(heads),
  norm: "pre",
  activation: "gelu_tanh",
  scale: "head",
  "embedding-scale": "1",
  epsilon: "1e-5",
};

function transposedTensor(tensor: StoredTensor): StoredTensor {
  const [rows, columns] = tensor.shape as [number, number];
  const numbers = floatsOf(tensor);
  const turned = Array.from(
    { length: rows * columns },
    (_, at) => numbers[(at % rows) * columns + Math.floor(at / rows)]!,
  );
  return float32Tensor(turned, [columns, rows]);
}

/** Rows [start, end) of a tensor. */
function part(tensor: StoredTensor, start: number, end: number): StoredTensor {
  const [, ...inner] = tensor.shape;
  const width = inner.reduce((product, size) => product * size, 1);
  return float32Tensor(
    [...floatsOf(tensor).subarray(start * width, end * width)],
    [end - start, ...inner],
  );
}

/** How an idiom writes one layer's attention and feed-forward, from linears as nn.Linear stores them. */
type Idiom = (layer: {
  readonly fused: StoredTensor;
  readonly fusedBias: StoredTensor;
  readonly output: StoredTensor;
  readonly up: StoredTensor;
  readonly down: StoredTensor;
  readonly at: (name: string) => StoredTensor;
}) => Record<string, StoredTensor>;

const idioms: Record<string, { outer: Record<string, string>; layers: string; layer: Idiom }> = {
  "of nn.TransformerEncoderLayer": {
    outer: { wte: "token_embedding", wpe: "position_embedding", ln_f: "norm", head: "fc_out" },
    layers: "encoder.layers",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      "self_attn.in_proj_weight": fused,
      "self_attn.in_proj_bias": fusedBias,
      "self_attn.out_proj.weight": output,
      "self_attn.out_proj.bias": at("attn.c_proj.bias"),
      "linear1.weight": up,
      "linear1.bias": at("mlp.c_fc.bias"),
      "linear2.weight": down,
      "linear2.bias": at("mlp.c_proj.bias"),
      "norm1.weight": at("ln_1.weight"),
      "norm1.bias": at("ln_1.bias"),
      "norm2.weight": at("ln_2.weight"),
      "norm2.bias": at("ln_2.bias"),
    }),
  },
  "of a module for each head": {
    outer: {
      wte: "token_embedding_table",
      wpe: "position_embedding_table",
      ln_f: "ln_f",
      head: "lm_head",
    },
    layers: "blocks",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      ...Object.fromEntries(
        ["query", "key", "value"].flatMap((name, third) =>
          Array.from({ length: heads }, (_, head) => {
            const start = third * hidden + head * headSize;
            return [
              [`sa.heads.${head}.${name}.weight`, part(fused, start, start + headSize)],
              [`sa.heads.${head}.${name}.bias`, part(fusedBias, start, start + headSize)],
            ] as const;
          }).flat(),
        ),
      ),
      "sa.heads.0.tril": float32Tensor([1, 0, 1, 1], [2, 2]),
      "sa.proj.weight": output,
      "sa.proj.bias": at("attn.c_proj.bias"),
      "ffwd.net.0.weight": up,
      "ffwd.net.0.bias": at("mlp.c_fc.bias"),
      "ffwd.net.2.weight": down,
      "ffwd.net.2.bias": at("mlp.c_proj.bias"),
      "ln1.weight": at("ln_1.weight"),
      "ln1.bias": at("ln_1.bias"),
      "ln2.weight": at("ln_2.weight"),
      "ln2.bias": at("ln_2.bias"),
    }),
  },
  "of TransformerLens": {
    outer: { wte: "embed.W_E", wpe: "pos_embed.W_pos", ln_f: "ln_final", head: "unembed.W_U" },
    layers: "blocks",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      ...Object.fromEntries(
        ["Q", "K", "V"].flatMap((name, third) => {
          const each = Array.from({ length: heads }, (_, head) =>
            floatsOf(
              transposedTensor(
                part(
                  fused,
                  third * hidden + head * headSize,
                  third * hidden + (head + 1) * headSize,
                ),
              ),
            ),
          );
          const bias = part(fusedBias, third * hidden, (third + 1) * hidden);
          return [
            [
              `attn.W_${name}`,
              float32Tensor(
                each.flatMap((one) => [...one]),
                [heads, hidden, headSize],
              ),
            ],
            [`attn.b_${name}`, { ...bias, shape: [heads, headSize] }],
          ] as const;
        }),
      ),
      "attn.W_O": { ...transposedTensor(output), shape: [heads, headSize, hidden] },
      "attn.b_O": at("attn.c_proj.bias"),
      "attn.mask": { dtype: "BOOL", shape: [2, 2], data: new Uint8Array([1, 0, 1, 1]) },
      "attn.IGNORE": float32Tensor([-1e5], []),
      "mlp.W_in": transposedTensor(up),
      "mlp.b_in": at("mlp.c_fc.bias"),
      "mlp.W_out": transposedTensor(down),
      "mlp.b_out": at("mlp.c_proj.bias"),
      "ln1.w": at("ln_1.weight"),
      "ln1.b": at("ln_1.bias"),
      "ln2.w": at("ln_2.weight"),
      "ln2.b": at("ln_2.bias"),
    }),
  },
  "of timm": {
    outer: { wte: "tok_embed", wpe: "pos_embed", ln_f: "norm", head: "head" },
    layers: "blocks",
    layer: ({ fused, fusedBias, output, up, down, at }) => ({
      "norm1.weight": at("ln_1.weight"),
      "norm1.bias": at("ln_1.bias"),
      "attn.qkv.weight": fused,
      "attn.qkv.bias": fusedBias,
      "attn.proj.weight": output,
      "attn.proj.bias": at("attn.c_proj.bias"),
      "norm2.weight": at("ln_2.weight"),
      "norm2.bias": at("ln_2.bias"),
      "mlp.fc1.weight": up,
      "mlp.fc1.bias": at("mlp.c_fc.bias"),
      "mlp.fc2.weight": down,
      "mlp.fc2.bias": at("mlp.c_proj.bias"),
    }),
  },
};

/** The fixture `gpt2` under the names of an idiom, without a config. */
function written(
  idiom: string,
  change: (tensors: StoredTensors) => void = () => undefined,
): string {
  const folder = copyFixture("gpt2", scratch());
  rmSync(join(folder, "config.json"));
  const { outer, layers, layer } = idioms[idiom]!;
  editWeights(folder, (tensors) => {
    const old = new Map(tensors);
    tensors.clear();
    const isLens = outer["wte"]!.endsWith("W_E");
    const table = (name: string): string =>
      isLens || name === "tok_embed" ? name : `${name}.weight`;
    const embedding = old.get("transformer.wte.weight")!;
    const own = outer["wte"] === "tok_embed" ? "tok_embed.weight" : table(outer["wte"]!);
    tensors.set(own, embedding);
    tensors.set(table(outer["wpe"]!), old.get("transformer.wpe.weight")!);
    const [weight, bias] = isLens ? ["w", "b"] : ["weight", "bias"];
    tensors.set(`${outer["ln_f"]!}.${weight}`, old.get("transformer.ln_f.weight")!);
    tensors.set(`${outer["ln_f"]!}.${bias}`, old.get("transformer.ln_f.bias")!);
    tensors.set(
      isLens ? outer["head"]! : `${outer["head"]!}.weight`,
      isLens ? transposedTensor(embedding) : embedding,
    );
    for (let index = 0; index < gpt2["n_layer"]!; index++) {
      const at = (name: string): StoredTensor => old.get(`transformer.h.${index}.${name}`)!;
      const parts = layer({
        fused: transposedTensor(at("attn.c_attn.weight")),
        fusedBias: at("attn.c_attn.bias"),
        output: transposedTensor(at("attn.c_proj.weight")),
        up: transposedTensor(at("mlp.c_fc.weight")),
        down: transposedTensor(at("mlp.c_proj.weight")),
        at,
      });
      for (const [name, tensor] of Object.entries(parts)) {
        tensors.set(`${layers}.${index}.${name}`, tensor);
      }
    }
    change(tensors);
  });
  return folder;
}

async function read(path: string, settings: Settings = {}) {
  return readArchitecture(await openCheckpoint(path), { settings });
}

describe("a model told from names and shapes", () => {
  const expected = (referenceOf("gpt2")["baseline"] as { nll: number }).nll;

  it.each(Object.keys(idioms))("in the idiom %s computes what PyTorch computes", async (idiom) => {
    const isFused = idiom === "of timm";
    const { baseline, architecture } = await diagnoseHere(written(idiom), {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: { ...truth, ...(isFused && { fused: "thirds" }) },
    });
    expect(baseline!.nll).toBeCloseTo(expected, 4);
    expect(architecture.reading!.source).toBe("inference");
  });

  it("knows the heads where each has a tensor of its own", async () => {
    for (const idiom of ["of a module for each head", "of TransformerLens"]) {
      const { settled } = await read(written(idiom));
      expect(settled).toContainEqual(
        expect.objectContaining({ name: "heads", value: String(heads) }),
      );
    }
  });

  it("leaves open what weights do not tell", async () => {
    const { open, settled } = await read(written("of nn.TransformerEncoderLayer"));
    const names = open.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["heads", "norm", "activation"]));
    // PyTorch's own attention has one scale; that of other code is for the evidence.
    expect(settled).toContainEqual(expect.objectContaining({ name: "scale", value: "head" }));
    const other = await read(written("of timm"));
    expect(other.open.map(({ name }) => name)).toContain("scale");
    expect(names).not.toContain("norm-kind");
    expect(names).not.toContain("rotary");
  });

  it("is refused where it predicts nothing, with its readings and their losses", async () => {
    const run = diagnoseHere(written("of nn.TransformerEncoderLayer"), {
      documents: tokensOf("gpt2"),
      metrics: ["variance"],
      reading: { ...truth, norm: undefined as unknown as string },
    });
    const message = await failureOf(run, CheckpointError);
    expect(message).toContain("under no reading of its tensors does it predict");
    expect(message).toContain("norm=post-ln");
    expect(message).toContain("--reading KEY=VALUE");
  });

  const first = "encoder.layers.0.";
  it.each<[string, (tensors: StoredTensors) => void, string[]]>([
    [
      "a third linear beside the feed-forward",
      (tensors) =>
        tensors.set(`${first}linear3.weight`, float32Tensor(Array<number>(9).fill(0), [3, 3])),
      ["layers that are not alike", "linear3.weight"],
    ],
    [
      "a layer missing",
      (tensors) => {
        for (const name of [...tensors.keys()]) {
          if (name.startsWith("encoder.layers.1.")) tensors.delete(name);
        }
      },
      ["but not", "encoder.layers.1"],
    ],
    [
      "no norm in a layer",
      (tensors) => {
        for (const name of [...tensors.keys()]) if (/layers.*norm/.test(name)) tensors.delete(name);
      },
      ["has 0 norms in a layer", "in_proj_weight"],
    ],
    [
      "a norm over batches",
      (tensors) => tensors.set(`${first}norm1.running_mean`, float32Tensor([0], [1])),
      ["a norm over batches", "running_mean"],
    ],
    [
      "attention to another sequence",
      (tensors) => tensors.set(`${first}multihead_attn.in_proj_weight`, float32Tensor([0], [1, 1])),
      ["attention to another sequence", "multihead_attn"],
    ],
    [
      "a tensor around the layers that has no place",
      (tensors) => tensors.set("gain", float32Tensor([0, 1], [2])),
      ["neither an embedding, a norm nor a head", '"gain"'],
    ],
    [
      "a recurrent layer",
      (tensors) => tensors.set("rnn.weight_hh_l0", float32Tensor([0], [1, 1])),
      ["a recurrent layer", "rnn.weight_hh_l0"],
    ],
  ])("is refused with %s", async (_, change, words) => {
    const path = written("of nn.TransformerEncoderLayer", change);
    const message = await failureOf(read(path), CheckpointError);
    for (const word of words) expect(message).toContain(word);
  });

  it.each([
    [{ heads: "5" }, "heads=5 is not possible"],
    [{ norm: "sideways" }, "norm=sideways is unknown"],
    [{ activation: "tanh" }, "activation=tanh is not possible"],
  ] satisfies [Settings, string][])("refuses the statement %j", async (settings, words) => {
    const message = await failureOf(read(written("of timm"), settings), CheckpointError);
    expect(message).toContain(words);
  });
});

const shared = fileURLToPath(new URL("../../../../shared/checkpoints/", import.meta.url));

describe.skipIf(!existsSync(shared))("a real checkpoint", () => {
  it("slm4096-nanogpt is read, its heads being stated in it and GELU's forms left to the evidence", async () => {
    const { architecture, settled, open } = await read(join(shared, "slm4096-nanogpt"));
    expect(settled).toContainEqual(
      expect.objectContaining({ name: "heads", value: "4", by: "config.n_head of the checkpoint" }),
    );
    expect(open).toContainEqual(
      expect.objectContaining({ name: "gelu", values: ["exact", "tanh", "quick"] }),
    );
    const { head, layers } = architecture({ activation: "gelu", gelu: "quick" });
    expect(head!.tied).toBe(true);
    expect(layers[3]!.feedForward.module).toMatchObject({ activation: "quick_gelu" });
  });

  it("vit-mnist-postln is read as a model of images of 28 × 28 pixels", async () => {
    const { architecture, open } = await read(join(shared, "vit-mnist-postln"));
    const { embedding, layers, vocabularySize } = architecture({ norm: "post-ln", heads: "8" });
    expect(embedding).toMatchObject({
      image: { channels: 1, height: 28, width: 28 },
      patch: [7, 7],
    });
    expect(layers).toHaveLength(6);
    expect(vocabularySize).toBe(10);
    expect(open.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["norm", "heads", "activation", "pool"]),
    );
  });
});

describe.skipIf(!existsSync(shared))("a real checkpoint that is no plain transformer", () => {
  it.each([
    ["hybridstories/best.pt", "state-space", "blocks.0.ssm.A_log"],
    ["patchtst-batchnorm", "a norm over batches", "running_mean"],
    ["retsim-gau", "no layers with attention", "gau_layers.0.beta"],
    ["sasrec", "norms around its layers", "attention_layernorms.0.weight"],
    ["decision-transformer", "several embeddings", "action_embedding.0.weight"],
  ])("%s is refused, naming what shows it", async (path, what, tensor) => {
    const message = await failureOf(read(join(shared, path)), CheckpointError);
    expect(message).toContain(what);
    expect(message).toContain(tensor);
  });

  it("no-mlp-residual-gpt is refused by what it predicts, naming its one norm", async () => {
    const run = diagnoseHere(join(shared, "no-mlp-residual-gpt"), {
      documents: Array.from({ length: 8 }, (_, document) =>
        Array.from({ length: 24 }, (_, at) => (7 * document + 11 * at) % 65),
      ),
      metrics: ["variance"],
      reading: {},
    });
    const message = await failureOf(run, CheckpointError);
    expect(message).toContain("transformer_decoders.0.layer_norm.weight");
    expect(message).toContain("under no reading of its tensors");
  });
});
