import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../src/checkpoint/readTensor";
import { partOfGroups, reshaped, rows, transposed } from "../../../src/checkpoint/views";
import { failureOf } from "../support/failures";
import type { StoredTensor } from "../support/safetensors";
import { encodeSafetensors, float32Tensor } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const name = "model.layers.0.mlp.up_proj.weight";

/** Ones, of five rows and six columns. */
const ones = { dtype: "F8_E4M3", shape: [5, 6], data: new Uint8Array(30).fill(0x38) };
const fp8 = { quantization_config: { quant_method: "fp8", weight_block_size: [2, 4] } };

describe("float8 weights", () => {
  it.each<[string, string, StoredTensor, object, (row: number, column: number) => number]>([
    [
      "each block, as DeepSeek-V3 has",
      "_scale_inv",
      float32Tensor([1, 2, 3, 4, 5, 6], [3, 2]),
      fp8,
      (row, column) => 1 + 2 * Math.floor(row / 2) + Math.floor(column / 4),
    ],
    [
      "each block, as compressed-tensors has",
      "_scale",
      float32Tensor([1, 2, 3, 4, 5, 6], [3, 2]),
      { quantization_config: { config_groups: { a: { weights: { block_structure: [2, 4] } } } } },
      (row, column) => 1 + 2 * Math.floor(row / 2) + Math.floor(column / 4),
    ],
    ["the tensor", "_scale", float32Tensor([3], [1]), {}, () => 3],
    ["the tensor, without axes", "_scale", float32Tensor([3], []), {}, () => 3],
    ["each row", "_scale", float32Tensor([1, 2, 3, 4, 5], [5, 1]), {}, (row) => row + 1],
    ["each row, on one axis", "_scale", float32Tensor([1, 2, 3, 4, 5], [5]), {}, (row) => row + 1],
    [
      "each row, in bfloat16",
      "_scale",
      { dtype: "BF16", shape: [5, 1], data: words(0x3f80, 0x4000, 0x4040, 0x4080, 0x40a0) },
      {},
      (row) => row + 1,
    ],
    [
      "each row, as powers of two",
      "_scale",
      { dtype: "F8_E8M0", shape: [5, 1], data: Uint8Array.of(127, 128, 129, 126, 130) },
      {},
      (row) => [1, 2, 4, 0.5, 8][row]!,
    ],
  ])("are multiplied by a factor for %s", async (_, suffix, factors, config, expected) => {
    const path = written({ [name]: ones, [`${name}${suffix}`]: factors }, config);
    const { tensors } = await openCheckpoint(path);
    expect([...tensors.keys()]).toEqual([name]);
    const weight = tensors.get(name)!;
    expect(isReadInPlace(weight)).toBe(false);
    const all = Array.from({ length: 30 }, (_, at) => expected(Math.floor(at / 6), at % 6));
    expect([...(await readTensor(weight))]).toEqual(all);
    const turned = Array.from({ length: 30 }, (_, at) => expected(at % 5, Math.floor(at / 5)));
    expect([...(await readTensor(transposed(weight)))]).toEqual(turned);
    expect([...(await readTensor(rows(weight, 2, 5)))]).toEqual(all.slice(12));
    // Not a block's first row, but rows of one block.
    expect([...(await readTensor(rows(weight, 3, 4)))]).toEqual(all.slice(18, 24));
    expect([...(await readTensor(rows(transposed(weight), 4, 6)))]).toEqual(turned.slice(20));
  });

  it("that are cut across blocks are refused", async () => {
    const path = written(
      { [name]: ones, [`${name}_scale_inv`]: float32Tensor([1, 2, 3, 4, 5, 6], [3, 2]) },
      fp8,
    );
    const weight = (await openCheckpoint(path)).tensors.get(name)!;
    const words = "has a factor for each block of 2 × 4, of which this part cannot be taken";
    expect(() => rows(weight, 1, 4)).toThrow(words);
    expect(() => reshaped(weight, [3, 10])).toThrow(words);
    expect(reshaped(weight, [1, 5, 6]).scale).toEqual(weight.scale);
    expect(() => partOfGroups(weight, 5, 0, 1)).toThrow(words);
  });

  it("take the same part of every group of rows", async () => {
    const factors = float32Tensor([1, 2, 3, 4, 5, 6], [6, 1]);
    const six = { ...ones, shape: [6, 5] };
    const path = written({ [name]: six, [`${name}_scale`]: factors }, {});
    const weight = (await openCheckpoint(path)).tensors.get(name)!;
    const part = await readTensor(partOfGroups(weight, 2, 1, 2));
    expect([...part].filter((_, at) => at % 5 === 0)).toEqual([2, 3, 5, 6]);
  });

  it("leave out the factors of activations, which are not rounded here", async () => {
    const one = float32Tensor([2], [1]);
    const beside = {
      "model.layers.0.mlp.up_proj.input_scale": one,
      "model.layers.0.self_attn.k_scale": float32Tensor([2], []),
    };
    const scaled = written({ [name]: ones, [`${name}_scale`]: one, ...beside }, {});
    expect([...(await openCheckpoint(scaled)).tensors.keys()]).toEqual([name]);
    // No weight is scaled, so the names mean something else.
    const cast = written({ [name]: ones, ...beside }, {});
    expect((await openCheckpoint(cast)).tensors.size).toBe(3);
    const vector = { "model.layers.0.mlp.up_proj.input_scale": float32Tensor([1, 2], [2]) };
    const long = written({ [name]: ones, [`${name}_scale`]: one, ...vector }, {});
    expect((await openCheckpoint(long)).tensors.size).toBe(2);
  });

  it("that were only cast are taken as they are", async () => {
    const { tensors } = await openCheckpoint(written({ [name]: ones }, {}));
    expect([...(await readTensor(tensors.get(name)!))]).toEqual(Array(30).fill(1));
  });

  it.each<[string, Record<string, StoredTensor>, object, string]>([
    [
      "are missing",
      { [name]: ones },
      fp8,
      `is F8_E4M3 without the factors to multiply by; expected a tensor "${name}_scale_inv" or "${name}_scale"`,
    ],
    [
      "are missing where another has them",
      { [name]: ones, other: ones, other_scale: float32Tensor([2], [1]) },
      {},
      "without the factors",
    ],
    [
      "are as many as blocks of a size that is not stated",
      { [name]: ones, [`${name}_scale_inv`]: float32Tensor([1, 2, 3, 4, 5, 6], [3, 2]) },
      {},
      "of shape [3, 2], which does not fit its shape [5, 6]; expected one for the tensor, one for each row (the size of blocks would stand in config.json",
    ],
    [
      "are too few for the blocks",
      { [name]: ones, [`${name}_scale_inv`]: float32Tensor([1, 2, 3, 4], [2, 2]) },
      fp8,
      "or one for each block of 2 × 4",
    ],
  ])(
    "whose factors %s open, and are refused where they are used",
    async (_, tensors, config, words) => {
      const opened = await openCheckpoint(written(tensors, config));
      const weight = opened.tensors.get(name)!;
      expect(isReadInPlace(weight)).toBe(false);
      const message = await failureOf(readTensor(weight), CheckpointError);
      expect(message).toContain(`tensor "${name}": `);
      expect(message).toContain(words);
    },
  );
});

function written(tensors: Readonly<Record<string, StoredTensor>>, config: object): string {
  const folder = scratch();
  writeFileSync(join(folder, "model.safetensors"), encodeSafetensors(Object.entries(tensors)));
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer);
}
