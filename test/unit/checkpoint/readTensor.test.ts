import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TensorEntry } from "../../../src/checkpoint/checkpoint";
import type { DataType } from "../../../src/checkpoint/dataType";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { findNonFinite } from "../../../src/checkpoint/finite";
import { isReadInPlace, readTensor } from "../../../src/checkpoint/readTensor";
import {
  concatenated,
  partOfGroups,
  reshaped,
  rows,
  transposed,
} from "../../../src/checkpoint/views";
import { failureOf } from "../support/failures";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("a tensor's numbers", () => {
  it.each<[DataType, readonly number[], Uint8Array]>([
    ["F64", [0.5, -3], new Uint8Array(Float64Array.of(0.5, -3).buffer)],
    ["F32", [1.5, -0], new Uint8Array(Float32Array.of(1.5, -0).buffer)],
    ["F16", [1, -2, 65504, 2 ** -24, Infinity], words(0x3c00, 0xc000, 0x7bff, 1, 0x7c00)],
    ["BF16", [1, -2, 2 ** 127, -Infinity], words(0x3f80, 0xc000, 0x7f00, 0xff80)],
    ["F8_E4M3", [1, 448, -448, 2 ** -9, 2 ** -6, NaN], bytes(0x38, 0x7e, 0xfe, 1, 8, 0x7f)],
    ["F8_E5M2", [1, 57344, 2 ** -16, -Infinity, NaN], bytes(0x3c, 0x7b, 1, 0xfc, 0x7d)],
  ])("are read from %s", async (dataType, numbers, stored) => {
    const tensor = written(stored, dataType, [numbers.length]);
    expect([...(await readTensor(tensor))]).toEqual(numbers);
  });

  it("are unpacked from a compressed member of an archive", async () => {
    const unpacked = new Uint8Array(Float32Array.of(9, 1, 2, 3).buffer);
    const packed = deflateRawSync(unpacked);
    const whole = written(packed, "F32", [3]);
    const member = { offset: whole.offset, byteLength: packed.length, unpackedBytes: 16 };
    const tensor = { ...whole, offset: 4, byteLength: 12, member };
    expect(isReadInPlace(tensor)).toBe(false);
    expect([...(await readTensor(tensor))]).toEqual([1, 2, 3]);
    for (const unpackedBytes of [12, 20]) {
      const lying = { ...tensor, member: { ...member, unpackedBytes } };
      expect(await failureOf(readTensor(lying), CheckpointError)).toContain('tensor "w"');
    }
  });

  it("are multiplied by the factor of their block", async () => {
    const ones = written(bytes(...Array<number>(15).fill(0x38)), "F8_E4M3", [3, 5]);
    const factors = written(new Uint8Array(Float32Array.of(2, 3, 5, 7).buffer), "F32", [2, 2]);
    const scaled = await readTensor({ ...ones, scale: { factors, block: [2, 4] } });
    expect([...scaled]).toEqual([2, 2, 2, 2, 3, 2, 2, 2, 2, 3, 5, 5, 5, 5, 7]);
  });

  it("may not reach beyond the file", async () => {
    const tensor = written(bytes(0, 0, 0, 0), "F32", [1]);
    const beyond = { ...tensor, shape: [2], byteLength: 8 };
    expect(await failureOf(readTensor(beyond), CheckpointError)).toContain("the file ends after");
  });

  it("are told to be finite or not whatever they are stored as", async () => {
    const finite = written(words(0x7bff, 0xfbff), "F16", [2]);
    const infinite = { ...written(words(0, 0x7c00), "F16", [2]), name: "infinite" };
    const absent = { ...written(bytes(0, 0x7f), "F8_E4M3", [2]), name: "absent" };
    expect(await findNonFinite([finite, infinite, absent])).toEqual(["infinite", "absent"]);
  });
});

describe("parts and permutations of a tensor", () => {
  /** A matrix whose entries say where they are: row + column / 1000. */
  const matrix = (height: number, width: number): TensorEntry => {
    const numbers = Array.from(
      { length: height * width },
      (_, at) => Math.floor(at / width) + (at % width) / 1000,
    );
    return written(new Uint8Array(Float32Array.from(numbers).buffer), "F32", [height, width]);
  };
  const small = fc.integer({ min: 1, max: 6 });

  it("hold the rows they name, in place", async () => {
    await fc.assert(
      fc.asyncProperty(small, small, small, async (before, count, width) => {
        const whole = matrix(before + count + 1, width);
        const part = rows(whole, before, before + count);
        expect(isReadInPlace(part)).toBe(true);
        const all = await readTensor(whole);
        expect(await readTensor(part)).toEqual(all.slice(before * width, (before + count) * width));
      }),
      { numRuns: 30 },
    );
  });

  it("exchange rows and columns, and back", async () => {
    await fc.assert(
      fc.asyncProperty(small, small, async (height, width) => {
        const whole = matrix(height, width);
        const turned = transposed(whole);
        const numbers = await readTensor(turned);
        const expected = Array.from({ length: width * height }, (_, at) =>
          Math.fround((at % height) + Math.floor(at / height) / 1000),
        );
        expect([...numbers]).toEqual(expected);
        const { byteLength, ...back } = transposed(turned);
        expect(back).toEqual({ ...whole, byteLength: undefined, ...back });
        expect(byteLength).toBe(whole.byteLength);
        // Some rows of what was turned are some columns.
        const column = await readTensor(rows(turned, width - 1, width));
        expect([...column]).toEqual(expected.slice((width - 1) * height));
      }),
      { numRuns: 30 },
    );
  });

  it("take the same part of every group of rows", async () => {
    await fc.assert(
      fc.asyncProperty(small, small, small, small, async (groups, before, length, width) => {
        const group = before + length + 1;
        const whole = matrix(groups * group, width);
        const part = partOfGroups(whole, groups, before, length);
        expect(part.shape).toEqual([groups * length, width]);
        const found = await readTensor(part);
        const expected = Array.from({ length: groups * length }, (_, row) => {
          const at = Math.floor(row / length) * group + before + (row % length);
          return Array.from({ length: width }, (_, column) => Math.fround(at + column / 1000));
        });
        expect([...found]).toEqual(expected.flat());
        expect(isReadInPlace(part)).toBe(groups === 1);
        const regrouped = reshaped(part, [groups, length, width]);
        expect([...(await readTensor(regrouped))]).toEqual(expected.flat());
      }),
      { numRuns: 30 },
    );
  });

  it("put together by rows, are taken apart again in place", async () => {
    await fc.assert(
      fc.asyncProperty(small, small, small, small, async (groups, queries, keys, width) => {
        const group = queries + keys;
        const whole = matrix(groups * group, width);
        const all = await readTensor(whole);
        // First what begins each group, then what ends it, as they lie; put together group by group.
        const start = groups * queries;
        const runs = Array.from({ length: groups }, (_, at) => [
          rows(whole, at * queries, (at + 1) * queries),
          rows(whole, start + at * keys, start + (at + 1) * keys),
        ]);
        const fused = concatenated(runs.flat());
        expect(fused.shape).toEqual(whole.shape);
        expect(isReadInPlace(fused)).toBe(groups === 1);
        const parts = await Promise.all(runs.flat().map(readTensor));
        expect([...(await readTensor(fused))]).toEqual(parts.flatMap((part) => [...part]));
        const firsts = partOfGroups(fused, groups, 0, queries);
        const lasts = partOfGroups(fused, groups, queries, keys);
        expect([firsts, lasts].map(isReadInPlace)).toEqual([true, true]);
        expect(await readTensor(firsts)).toEqual(all.slice(0, start * width));
        expect(await readTensor(lasts)).toEqual(all.slice(start * width));
        const last = await readTensor(rows(fused, groups * group - 1, groups * group));
        expect([...last]).toEqual([...all.slice(-width)]);
      }),
      { numRuns: 30 },
    );
  });

  it("are turned where they lie in blocks, and cut only between those", async () => {
    const block = Buffer.alloc(34);
    block.writeUInt16LE(0x3c00);
    const stored = Buffer.concat(
      [0, 1, 2].map((row) => {
        const own = Buffer.from(block);
        for (let at = 0; at < 32; at++) own.writeInt8(at - 40 * row, 2 + at);
        return own;
      }),
    );
    const whole = written(stored, "Q8_0", [3, 32]);
    const turned = transposed(whole);
    expect([...(await readTensor(turned))].slice(0, 6)).toEqual([0, -40, -80, 1, -39, -79]);
    expect(transposed(turned).view).toBeUndefined();
    expect([...(await readTensor(rows(whole, 1, 2)))].slice(0, 2)).toEqual([-40, -39]);
    expect(() => rows(turned, 1, 2)).toThrow("of which only whole ones can be taken");
    expect([...(await readTensor(rows(turned, 0, 2)))]).toEqual([0, -40, -80, 1, -39, -79]);
  });
});

function written(content: Uint8Array, dataType: DataType, shape: number[]): TensorEntry {
  const file = join(scratch(), "weights");
  const offset = 3;
  writeFileSync(file, Buffer.concat([Buffer.alloc(offset, 0xff), content]));
  return { name: "w", dataType, shape, file, offset, byteLength: content.length };
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer);
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}
