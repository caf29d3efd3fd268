import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { DataType } from "../../../../../src/checkpoint/dataType";
import { openCheckpoint } from "../../../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../../../src/checkpoint/readTensor";

/** Written by test/oracle/torch_files.py. */
const folder = fileURLToPath(new URL("../../../../fixtures-torch/", import.meta.url));

interface Expected {
  dtype: string;
  shape: number[];
  values?: (number | null)[];
}

const files = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as Record<
  string,
  Record<string, Expected>
>;

const dataTypes: Readonly<Record<string, DataType>> = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float8_e4m3fn: "F8_E4M3",
  float8_e5m2: "F8_E5M2",
  float8_e4m3fnuz: "F8_E4M3FNUZ",
  float8_e5m2fnuz: "F8_E5M2FNUZ",
  float8_e8m0fnu: "F8_E8M0",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint8: "U8",
  uint16: "U16",
  uint32: "U32",
  uint64: "U64",
  bool: "BOOL",
  complex32: "C32",
  complex64: "C64",
  complex128: "C128",
};

describe("what PyTorch wrote", () => {
  it.each(Object.keys(files))("%s holds the tensors that PyTorch holds", async (name) => {
    const expected = files[name]!;
    const { tensors } = await openCheckpoint(join(folder, name));
    expect([...tensors.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
      const tensor = tensors.get(name)!;
      expect(tensor.dataType).toBe(dataTypes[dtype]);
      expect(tensor.shape).toEqual(shape);
      if (values) expect([...(await readTensor(tensor))]).toEqual(values);
    }
  });

  it("is read in place where it lies row by row", async () => {
    for (const name of ["layouts.pt", "layouts-legacy.pt"]) {
      const { tensors } = await openCheckpoint(join(folder, name));
      const inPlace = [...tensors.values()].filter(isReadInPlace).map(({ name }) => name);
      expect(inPlace).toEqual(["whole", "rows", "tied", "scalar", "empty", "parameter"]);
      const [whole, tied, rows] = ["whole", "tied", "rows"].map((key) => tensors.get(key)!);
      expect([tied!.file, tied!.offset]).toEqual([whole!.file, whole!.offset]);
      expect(rows!.offset).toBe(whole!.offset + 24);
    }
  });

  it("brings the plain values beside the weights, under their own keys", async () => {
    const settings = async (name: string): Promise<unknown> =>
      (await openCheckpoint(join(folder, name))).config?.value;
    expect(await settings("bare.pt")).toBeUndefined();
    expect(await settings("nanogpt.pt")).toEqual({
      model_args: { n_layer: 2, n_head: 2, n_embd: 4, bias: false },
      iter_num: 7,
    });
    expect(await settings("ddp.pt")).toEqual({ epoch: 3 });
    expect(await settings("ema.pt")).toEqual({ step: 5 });
    expect(await settings("lightning.ckpt")).toEqual({
      epoch: 1,
      global_step: 10,
      "pytorch-lightning_version": "2.5.0",
      hyper_parameters: { width: 4, activation: "gelu" },
    });
    const config = { n_layer: 2, n_head: 4, rope: true, name: "tiny", sizes: [1, 2] };
    expect(await settings("objects.pt")).toEqual({
      config,
      tokenizer: {
        chars: ["a", "f", "h", "m", "o", "t"],
        stoi: { a: 0, f: 1, h: 2, m: 3, o: 4, t: 5 },
        itos: { 0: "a", 1: "f", 2: "h", 3: "m", 4: "o", 5: "t" },
      },
      nested: { a: [1, 2.5, null, "1180591620717411303424"] },
    });
    expect(await settings("consolidated")).toMatchObject({ dim: 8, n_kv_heads: 2 });
  });

  it("tells of a whole module what its parts are", async () => {
    for (const name of ["module.pt", "module-legacy.pt"]) {
      const { config } = await openCheckpoint(join(folder, name));
      expect(config?.value).toMatchObject({
        __class__: "training.Model",
        config: { n_head: 4 },
        "blocks.1.heads": 2,
        "blocks.1.norm.__class__": "torch.nn.modules.normalization.LayerNorm",
        "blocks.1.norm.eps": 1e-5,
      });
    }
  });
});

const real = fileURLToPath(new URL("../../../../../../shared/checkpoints/", import.meta.url));

describe.runIf(existsSync(real))("files of public repositories", () => {
  it.each([
    ["decision-transformer/MemoryGatedMLP.pt", 51, "transformer.blocks.0.ln1.w", [128]],
    ["grammar-knn-lm/model.pt", 81, "embed_tokens.weight", [5007, 64]],
    ["hybridstories/best.pt", 312, "tok_emb.weight", [2048, 32]],
    ["hybridstories/step_20000.pt", 312, "tok_emb.weight", [2048, 32]],
    ["llama2xs/ckpt.pt", 48, "layers.0.attention.wk.weight", [32, 64]],
    ["no-mlp-residual-gpt/gpt.pt", 144, "token_embedding_layer.weight", [65, 64]],
    ["patchtst-batchnorm/finetuned_d128.pth", 97, "backbone.W_P.weight", [128, 5]],
    [
      "rxnmapper-albert/pytorch_model.bin",
      32,
      "albert.embeddings.word_embeddings.weight",
      [591, 128],
    ],
    ["sasrec/SASRec.epoch1000.pth", 28, "item_emb.weight", [3417, 50]],
    ["slm4096-nanogpt/ckpt.pt", 57, "tok_emb.weight", [54, 64]],
    ["tensorforge-gpt/gpt.pt", 70, "token_embedding.weight", [65, 128]],
    ["tensorforge-gpt/gpt_rope_gqa.pt", 71, "blocks.0.self_attn.W_k.weight", [64, 128]],
    ["vit-mnist-postln/model.pt", 80, "transformer.layers.0.self_attn.in_proj_weight", [192, 64]],
  ])("%s has %i tensors, all of them of sane size", async (path, count, name, shape) => {
    const { tensors } = await openCheckpoint(join(real, path));
    expect(tensors.size).toBe(count);
    expect(tensors.get(name)?.shape).toEqual(shape);
    for (const tensor of tensors.values()) {
      if (!tensor.dataType.startsWith("F")) continue;
      const numbers = await readTensor(tensor);
      // Masks hold infinities or as much as -100,000, and nothing else is far from one.
      expect(numbers.every((number) => !(Math.abs(number) > 1e5) || !Number.isFinite(number))).toBe(
        true,
      );
    }
  });

  it("keep that blocks share their weights", async () => {
    const { tensors } = await openCheckpoint(join(real, "hybridstories/step_2000.pt"));
    const [first, ninth] = [0, 9].map((at) => tensors.get(`blocks.${at}.attn.Wq.weight`)!);
    expect(ninth!.offset).toBe(first!.offset);
  });
});
