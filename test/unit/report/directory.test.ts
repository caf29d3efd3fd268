import { describe, expect, test } from "vitest";
import type { Checkpoint, TensorEntry } from "../../../src/checkpoint/checkpoint";
import { bytesOf, type DataType } from "../../../src/checkpoint/dataType";
import { elementCount } from "../../../src/checkpoint/checkpoint";
import { directoryOf } from "../../../src/report/directoryOf";

describe("directoryOf", () => {
  test("groups the tensors by layer, in the order of the layers, and counts", () => {
    const directory = directoryOf(
      checkpointOf([
        ["lm_head.weight", [10, 4], "F32"],
        ["model.embed_tokens.weight", [10, 4]],
        ["model.layers.0.mlp.up_proj.weight", [8, 4]],
        ["model.layers.10.mlp.up_proj.weight", [8, 4]],
        ["model.layers.2.input_layernorm.weight", [4]],
        ["model.layers.2.mlp.up_proj.weight", [8, 4]],
        ["model.norm.weight", [4]],
      ]),
    );
    expect(directory).toMatchObject({
      format: "safetensors",
      files: ["/m/model.safetensors"],
      tensors: 7,
      parameters: 40 + 40 + 32 * 3 + 4 + 4,
      types: [
        { dataType: "BF16", parameters: 144, bytes: 288 },
        { dataType: "F32", parameters: 40, bytes: 160 },
      ],
    });
    expect(directory.parts.map(({ kind, prefix, layer }) => [kind, prefix, layer])).toEqual([
      ["before", "", undefined],
      ["layer", "model.layers.0.", 0],
      ["layer", "model.layers.2.", 2],
      ["layer", "model.layers.10.", 10],
      ["after", "", undefined],
    ]);
    expect(directory.parts[2]).toMatchObject({
      parameters: 36,
      bytes: 72,
      tensors: [
        ["input_layernorm.weight", "BF16", [4], 8, 0],
        ["mlp.up_proj.weight", "BF16", [8, 4], 64, 0],
      ],
    });
    expect(directory.parts[4]!.tensors.map(([name]) => name)).toEqual([
      "lm_head.weight",
      "model.norm.weight",
    ]);
  });

  test.each([
    [
      "the experts and heads of a layer are none of their own",
      ["blocks.0.sa.heads.0.key.weight", "blocks.0.sa.heads.1.key.weight", "blocks.1.ln.weight"],
      ["blocks.0.", "blocks.1."],
    ],
    [
      "so they are in a model of a single layer",
      ["model.layers.0.mlp.experts.0.w", "model.layers.0.mlp.experts.1.w"],
      ["model.layers.0."],
    ],
    [
      "a number that never changes is a name",
      ["module.0.stack.0.w", "module.0.stack.1.w"],
      ["module.0.stack.0.", "module.0.stack.1."],
    ],
    [
      "an encoder and a decoder are two stacks",
      ["decoder.block.0.w", "encoder.block.0.w", "decoder.block.1.w", "encoder.block.1.w"],
      ["decoder.block.0.", "decoder.block.1.", "encoder.block.0.", "encoder.block.1."],
    ],
    ["GGUF", ["blk.0.attn_q.weight", "blk.1.attn_q.weight"], ["blk.0.", "blk.1."]],
  ])("%s", (_, names, prefixes) => {
    const { parts } = directoryOf(checkpointOf(names.map((name) => [name, [2]])));
    expect(parts.map(({ prefix }) => prefix)).toEqual(prefixes);
  });

  test("without layers all tensors stand together", () => {
    const { parts } = directoryOf(
      checkpointOf([
        ["weight", [2]],
        ["embedding", [3]],
        ["s", []],
      ]),
    );
    expect(parts).toHaveLength(1);
    expect(parts[0]).toMatchObject({ kind: "all", prefix: "", parameters: 6 });
    expect(parts[0]!.tensors).toHaveLength(3);
  });
});

function checkpointOf(tensors: [name: string, shape: number[], type?: DataType][]): Checkpoint {
  const entries = tensors.map(([name, shape, dataType = "BF16"]): TensorEntry => ({
    name,
    dataType,
    shape,
    file: "/m/model.safetensors",
    offset: 0,
    byteLength: bytesOf(dataType, elementCount(shape)),
  }));
  return {
    path: "/m",
    folder: "/m",
    format: "safetensors",
    directoryFile: "/m/model.safetensors",
    bytes: 1000,
    tensors: new Map(entries.map((entry) => [entry.name, entry])),
    config: undefined,
    tokenizer: undefined,
  };
}
