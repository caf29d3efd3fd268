import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { limits } from "../../../../src/checkpoint/limits";
import { readSafetensors } from "../../../../src/checkpoint/formats/safetensors";
import { failureOf } from "../../support/failures";
import type { StoredTensor } from "../../support/safetensors";
import { encodeSafetensors, framed } from "../../support/safetensors";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const file = join(scratch(), "model.safetensors");

const elementBits = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U64: 64,
  U32: 32,
  U16: 16,
  U8: 8,
  BOOL: 8,
  C64: 64,
} as const;

const storedTensor = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(elementBits) as (keyof typeof elementBits)[])),
    shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
  })
  .map(({ dtype, shape }): StoredTensor => {
    const elements = shape.reduce((product, size) => product * size, 1);
    return { dtype, shape, data: new Uint8Array((elements * elementBits[dtype]) / 8).fill(7) };
  });

const tensorName = fc
  .string({ unit: "binary", minLength: 1, maxLength: 20 })
  // Lone surrogates have no UTF-8; `__metadata__` is not a tensor.
  .filter(
    (name) => !/[\ud800-\udfff]/u.test(name) && name !== "__metadata__" && name !== "__proto__",
  );

describe("readSafetensors", () => {
  it("finds every tensor of every valid file where it was put", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.tuple(tensorName, storedTensor), { selector: ([name]) => name }),
        fc.option(fc.dictionary(fc.string(), fc.string()), { nil: undefined }),
        async (tensors, metadata) => {
          const bytes = encodeSafetensors(tensors, metadata);
          writeFileSync(file, bytes);
          const read = await readSafetensors(file);
          expect(read.bytes).toBe(bytes.length);
          const found = new Map(read.tensors.map((tensor) => [tensor.name, tensor]));
          expect(found.size).toBe(tensors.length);
          for (const [name, { dtype, shape, data }] of tensors) {
            const { dataType, shape: foundShape, offset, byteLength } = found.get(name)!;
            expect({ dataType, shape: foundShape }).toEqual({ dataType: dtype, shape });
            expect(bytes.subarray(offset, offset + byteLength)).toEqual(Buffer.from(data));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("answers any damage to a file with tensors inside it or with one line that names it", async () => {
    const valid = encodeSafetensors([
      ["a.weight", { dtype: "F32", shape: [2, 2], data: new Uint8Array(16) }],
      ["b.weight", { dtype: "BF16", shape: [3], data: new Uint8Array(6) }],
    ]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(valid.length),
        async (changes, length) => {
          const damaged = Buffer.from(valid);
          for (const [at, value] of changes) damaged[at] = value;
          await expectTensorsInsideOrOneLine(damaged.subarray(0, length));
          await expectTensorsInsideOrOneLine(damaged);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("answers any header of JSON with tensors inside the file or with one line that names it", async () => {
    const entry = fc.oneof(
      fc.record({
        dtype: fc.oneof(fc.constantFrom("F32", "BF16", "F4"), fc.string()),
        shape: fc.oneof(fc.array(fc.maxSafeNat(), { maxLength: 10 }), fc.anything()),
        data_offsets: fc.oneof(
          fc.tuple(fc.maxSafeInteger(), fc.maxSafeInteger()),
          fc.tuple(fc.nat(20), fc.nat(20)),
          fc.anything(),
        ),
      }),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.dictionary(fc.string(), entry), fc.jsonValue()),
        async (header) => {
          const text = JSON.stringify(header, (_, value: unknown) =>
            typeof value === "bigint" ? Number(value) : value,
          );
          await expectTensorsInsideOrOneLine(framed(text, new Uint8Array(16)));
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** What PyTorch's HuggingFaceStorageWriter states of a file, as text in its metadata. */
function sharding(stated: unknown): Record<string, string> {
  return { DCP_SHARDING_INFO: typeof stated === "string" ? stated : JSON.stringify(stated) };
}

describe("a file that contradicts the format", () => {
  const data = new Uint8Array(16);
  const valid = { w: { dtype: "F32", shape: [2, 2], data_offsets: [0, 16] } };
  const stated = JSON.stringify(valid).length;

  it.each<[string, Buffer, string[]]>([
    ["nothing at all", Buffer.alloc(0), ["is 0 bytes long", "8-byte header length"]],
    ["half a header length", Buffer.alloc(5), ["is 5 bytes long"]],
    [
      "a truncated header",
      framed(valid).subarray(0, 40),
      [`states a header of ${stated} bytes, but only 32 bytes follow`, "truncated"],
    ],
    [
      "a header length beyond the file",
      framed(valid, data, 1_000_000n),
      ["states a header of 1000000 bytes", `only ${stated + 16} bytes follow`],
    ],
    [
      "a header length that no number holds",
      framed(valid, data, 2n ** 64n - 1n),
      ["states a header of 18446744073709551615 bytes"],
    ],
    ["a header that is not JSON", framed("{w: 1}", data), ["the header is not JSON"]],
    [
      "a header that is not UTF-8",
      framed(Uint8Array.of(0x7b, 0xff, 0x7d), data),
      ["the header is not JSON"],
    ],
    ["a header that is a list", framed([valid], data), ["is not a JSON object of tensors"]],
    ["a header that is null", framed("null", data), ["is not a JSON object of tensors"]],
    ["an empty header", framed("", data), ["the header is not JSON"]],
    [
      "a tensor without a shape",
      framed({ w: { dtype: "F32", data_offsets: [0, 16] } }, data),
      ['tensor "w"', "its shape is missing; expected a list"],
    ],
    [
      "a negative size",
      framed({ w: { dtype: "F32", shape: [-2, -2], data_offsets: [0, 16] } }, data),
      ['tensor "w"', "its shape.0 is -2; expected at least 0"],
    ],
    [
      "a fractional size",
      framed({ w: { dtype: "F32", shape: [1.5], data_offsets: [0, 6] } }, data),
      ['tensor "w"', "its shape.0 is 1.5; expected a whole number"],
    ],
    [
      "three offsets",
      framed({ w: { dtype: "F32", shape: [4], data_offsets: [0, 8, 16] } }, data),
      ['tensor "w"', "its data_offsets is [0,8,16]"],
    ],
    [
      "an unknown dtype",
      framed({ w: { dtype: "F17", shape: [4], data_offsets: [0, 16] } }, data),
      ['tensor "w"', 'dtype "F17" is unknown', "F32, F16, BF16"],
    ],
    [
      "a dtype that is a property of every object",
      framed({ w: { dtype: "constructor", shape: [4], data_offsets: [0, 16] } }, data),
      ['dtype "constructor" is unknown'],
    ],
    [
      "offsets beyond the data",
      framed({ w: { dtype: "F32", shape: [5], data_offsets: [0, 20] } }, data),
      ['tensor "w"', "data_offsets [0, 20] lie outside the 16 bytes of data"],
    ],
    [
      "offsets that run backwards",
      framed({ w: { dtype: "F32", shape: [0], data_offsets: [8, 4] } }, data),
      ['tensor "w"', "data_offsets [8, 4] lie outside"],
    ],
    [
      "offsets that do not span the shape",
      framed({ w: { dtype: "F32", shape: [3], data_offsets: [0, 16] } }, data),
      ['tensor "w"', "shape [3] of F32 takes 12 bytes, but data_offsets [0, 16] span 16"],
    ],
    [
      "a shape whose size no number holds",
      framed(
        { w: { dtype: "F32", shape: [2 ** 40, 2 ** 40, 2 ** 40], data_offsets: [0, 0] } },
        data,
      ),
      ['tensor "w"', `takes ${(2n ** 122n).toString()} bytes`],
    ],
    [
      "more axes than any tensor has",
      framed({ w: { dtype: "F32", shape: Array(9).fill(1), data_offsets: [0, 4] } }, data),
      ['tensor "w"', "has 9 axes; the limit is 8"],
    ],
    [
      "a tensor that is there twice, once with its name spelt otherwise",
      framed(`{"\\u0077": ${JSON.stringify(valid.w)}, "w": ${JSON.stringify(valid.w)}}`, data),
      ["two entries of one name"],
    ],
    [
      "one process's part of each tensor",
      framed({ __metadata__: sharding({ w: { saved_offsets: [1] } }), ...valid }, data),
      ["what one process held", "consolidate_safetensors_files"],
    ],
    [
      "metadata that is there twice",
      framed(`{"__metadata__": {}, "w": ${JSON.stringify(valid.w)}, "__metadata__": {}}`, data),
      ["two entries of one name"],
    ],
    [
      "a tensor that is a nest without end",
      framed(`{"w": ${"[".repeat(200_000)}${"]".repeat(200_000)}}`, data),
      ['tensor "w": its header entry is [[[[[[', "expected an object"],
    ],
    [
      "tensors that overlap",
      framed(
        {
          a: { dtype: "F32", shape: [3], data_offsets: [0, 12] },
          b: { dtype: "F32", shape: [2], data_offsets: [8, 16] },
        },
        data,
      ),
      ['tensor "b" begins at byte 8', 'inside tensor "a", which ends at byte 12'],
    ],
  ])("with %s is refused", async (_, bytes, words) => {
    writeFileSync(file, bytes);
    const message = await failureOf(readSafetensors(file), CheckpointError);
    expect(message.startsWith(`${file}: `)).toBe(true);
    for (const word of words) expect(message).toContain(word);
    expect(message).not.toContain("\n");
  });

  it.each<[string, Buffer]>([
    ["a header padded with spaces", framed(`${JSON.stringify(valid)}    `, data)],
    [
      "metadata that is a nest, with signs of JSON in its texts",
      framed(
        `{"__metadata__": {"a": ${"[".repeat(200_000)}${"]".repeat(200_000)}, "\\"{": "}:\\\\"}, "w": ${JSON.stringify(valid.w)}}`,
        data,
      ),
    ],
    ["metadata beside the tensors", framed({ __metadata__: { format: "pt" }, ...valid }, data)],
    ["a header and no tensors", framed("{}")],
    [
      "tensors that touch",
      framed(
        {
          b: { dtype: "F32", shape: [1], data_offsets: [12, 16] },
          a: { dtype: "F32", shape: [3], data_offsets: [0, 12] },
        },
        data,
      ),
    ],
    [
      "tensors without elements, between others and at the end",
      framed(
        {
          a: { dtype: "F32", shape: [3], data_offsets: [0, 12] },
          empty: { dtype: "F32", shape: [0, 7], data_offsets: [12, 12] },
          b: { dtype: "F32", shape: [1], data_offsets: [12, 16] },
          end: { dtype: "I8", shape: [0], data_offsets: [16, 16] },
        },
        data,
      ),
    ],
    [
      "a number without axes",
      framed({ w: { dtype: "F32", shape: [], data_offsets: [0, 4] } }, data),
    ],
    [
      "eight axes",
      framed({ w: { dtype: "F32", shape: Array(8).fill(1), data_offsets: [0, 4] } }, data),
    ],
  ])("with %s is read", async (_, bytes) => {
    writeFileSync(file, bytes);
    await expect(readSafetensors(file)).resolves.toMatchObject({ bytes: bytes.length });
  });

  const origin = { w: { saved_offsets: [0, 0] } };
  it.each<[string, string, unknown]>([
    ["begin inside whole ones", "model.safetensors", { w: { saved_offsets: [0, 1] } }],
    ["lie in a process's file", "shard-00001-model-00001-of-00001.safetensors", origin],
    ["begin nowhere", "model.safetensors", { w: {} }],
    ["begin where no JSON says", "model.safetensors", "{"],
    ["begin where a list says", "model.safetensors", []],
  ])("with what PyTorch states of parts is read unless they %s", async (_, name, wrong) => {
    const folder = scratch();
    const read = async (as: string, stated: unknown): Promise<unknown> => {
      writeFileSync(join(folder, as), framed({ __metadata__: sharding(stated), ...valid }, data));
      return readSafetensors(join(folder, as));
    };
    expect(await failureOf(read(name, wrong), CheckpointError)).toContain("what one process held");
    await expect(read("model-00001-of-00001.safetensors", origin)).resolves.toMatchObject({
      tensors: [{ name: "w" }],
    });
  });

  it("may not ask for more memory than a header can need", async () => {
    const large = join(scratch(), "large.safetensors");
    const headerBytes = limits.safetensorsHeaderBytes + 1;
    writeFileSync(large, framed("{}", data, BigInt(headerBytes)));
    truncateSync(large, headerBytes + 100);
    const message = await failureOf(readSafetensors(large), CheckpointError);
    expect(message).toContain(`states a header of ${headerBytes} bytes; the limit is`);
  });

  it("escapes what a name would do to a terminal", async () => {
    const name = "w\u001b[31m\n\u0085\u2028";
    writeFileSync(file, framed({ [name]: 1 }));
    const message = await failureOf(readSafetensors(file), CheckpointError);
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    expect(message).toContain('"w\\u001b[31m\\n\\u0085\\u2028"');
  });

  it("that is a folder or does not exist is refused too", async () => {
    const folder = scratch();
    for (const path of [folder, join(folder, "gone.safetensors")]) {
      expect(await failureOf(readSafetensors(path), CheckpointError)).toContain(path);
    }
  });
});

async function expectTensorsInsideOrOneLine(bytes: Uint8Array): Promise<void> {
  writeFileSync(file, bytes);
  const outcome = await readSafetensors(file).catch((error: unknown) => error);
  if (outcome instanceof Error) {
    expect(outcome).toBeInstanceOf(CheckpointError);
    expect(outcome.message.startsWith(`${file}: `)).toBe(true);
    expect(outcome.message).not.toContain("\n");
    return;
  }
  const { tensors } = outcome as Awaited<ReturnType<typeof readSafetensors>>;
  for (const { offset, byteLength } of tensors) {
    expect(offset).toBeGreaterThanOrEqual(8);
    expect(offset + byteLength).toBeLessThanOrEqual(bytes.length);
  }
}
