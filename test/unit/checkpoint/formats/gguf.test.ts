import {
  existsSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { readGguf, readGgufMetadata } from "../../../../src/checkpoint/formats/gguf/gguf";
import { limits } from "../../../../src/checkpoint/limits";
import { openCheckpoint } from "../../../../src/checkpoint/open";
import { isReadInPlace, readTensor } from "../../../../src/checkpoint/readTensor";
import { rows, transposed } from "../../../../src/checkpoint/views";
import { failureOf } from "../../support/failures";
import type { GgufFixture, TensorFixture, TypedValue } from "../../support/gguf";
import { encodeGguf } from "../../support/gguf";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

const matrix: TensorFixture = {
  name: "blk.0.w",
  dimensions: [3, 2],
  type: 0,
  data: floats(1, 2, 3, 4, 5, 6),
};
const vector: TensorFixture = { name: "norm", dimensions: [4], type: 1, data: new Uint8Array(8) };

describe("a GGUF file", () => {
  it.each([2, 3])("of version %d gives its tensors, outermost axis first", async (version) => {
    const file = written({ version, tensors: [matrix, vector] });
    const { tensors, bytes } = await readGguf(file);
    expect(tensors.map(({ name, shape, dataType }) => [name, shape, dataType])).toEqual([
      ["blk.0.w", [2, 3], "F32"],
      ["norm", [4], "F16"],
    ]);
    expect(bytes % 32).toBe(0);
    expect(tensors.every(isReadInPlace)).toBe(true);
    expect([...(await readTensor(tensors[0]!))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await readTensor(transposed(tensors[0]!)))]).toEqual([1, 4, 2, 5, 3, 6]);
  });

  it("gives every kind of metadata under its own key", async () => {
    const metadata: [string, TypedValue, unknown][] = [
      ["u8", ["u8", 255], 255],
      ["i8", ["i8", -128], -128],
      ["u16", ["u16", 65535], 65535],
      ["i16", ["i16", -2], -2],
      ["u32", ["u32", 2 ** 32 - 1], 2 ** 32 - 1],
      ["i32", ["i32", -(2 ** 31)], -(2 ** 31)],
      ["f32", ["f32", 0.5], 0.5],
      ["bool", ["bool", true], true],
      ["text", ["string", "naïve ▁ 日本語 😀"], "naïve ▁ 日本語 😀"],
      ["empty", ["string", ""], ""],
      ["u64", ["u64", 2n ** 40n], 2 ** 40],
      ["large", ["u64", 2n ** 64n - 1n], "18446744073709551615"],
      ["i64", ["i64", -5n], -5],
      ["f64", ["f64", Math.PI], Math.PI],
      ["list", ["array", "u16", [1, 2, 3]], [1, 2, 3]],
      ["none", ["array", "string", []], []],
      ["words", ["array", "string", ["a", "", "bc"]], ["a", "", "bc"]],
      [
        "nested",
        [
          "array",
          "array",
          [
            ["array", "i8", [1]],
            ["array", "string", ["x", "y"]],
          ],
        ],
        [[1], ["x", "y"]],
      ],
      ["__proto__", ["u8", 1], 1],
    ];
    const file = written({ metadata: metadata.map(([key, value]) => [key, value]) });
    const { config } = await readGguf(file);
    expect(config?.path).toBe(file);
    expect(Object.entries(config!.value)).toEqual(metadata.map(([key, , value]) => [key, value]));
  });

  it("keeps lists by token out of its config, and gives them when asked", async () => {
    const tokens = Array.from({ length: 50_000 }, (_, at) => `▁tök${at}`);
    const long = Array.from({ length: limits.ggufConfigItems + 1 }, (_, at) => at);
    const file = written({
      metadata: [
        ["tokenizer.ggml.model", ["string", "llama"]],
        ["tokenizer.ggml.tokens", ["array", "string", tokens]],
        ["tokenizer.ggml.merges", ["array", "string", ["a b"]]],
        ["lengths", ["array", "u32", long]],
        ["heads", ["array", "u32", long.slice(1)]],
        ["last", ["string", "✓"]],
      ],
      tensors: [matrix],
    });
    const { config, tokenizer } = await readGguf(file);
    expect(Object.keys(config!.value)).toEqual(["tokenizer.ggml.model", "heads", "last"]);
    expect(tokenizer).toEqual({ kind: "gguf", path: file });
    const metadata = await readGgufMetadata(file, (key) => key.startsWith("tokenizer."));
    // Texts lie across every border of what is read at once.
    expect(metadata.get("tokenizer.ggml.tokens")).toEqual(tokens);
    expect(metadata.get("last")).toBe("✓");
  });

  it("opens at once, with the metadata of 150,000 tokens and whatever follows", async () => {
    const count = 150_000;
    const tokens = Array.from({ length: count }, (_, at) => `token ${at}`);
    const file = written({
      metadata: [
        ["tokenizer.ggml.model", ["string", "gpt2"]],
        ["tokenizer.ggml.tokens", ["array", "string", tokens]],
        ["tokenizer.ggml.token_type", ["array", "i32", tokens.map(() => 1)]],
        ["tokenizer.ggml.merges", ["array", "string", tokens]],
      ],
      tensors: [{ ...vector, dimensions: [2 ** 21, 2 ** 11] }],
    });
    // Ten gigabytes that no disk holds.
    truncateSync(file, 10 * 2 ** 30);
    await readGguf(file);
    // Of the processor, which other tests share.
    const start = process.cpuUsage();
    const { tensors } = await readGguf(file);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(150);
    expect(tensors[0]!.byteLength).toBe(2 ** 33);
  });

  it("is told by its name or its first bytes, and needs no config.json", async () => {
    const folder = scratch();
    const metadata = [["general.architecture", ["string", "llama"]]] as const;
    writeFileSync(join(folder, "weights"), encodeGguf({ metadata, tensors: [matrix] }));
    writeFileSync(join(folder, "config.json"), '{"model_type": "other"}');
    const opened = await openCheckpoint(folder);
    expect(opened.format).toBe("GGUF");
    expect(opened.config?.value).toEqual({ "general.architecture": "llama" });
    expect([...opened.tensors.keys()]).toEqual(["blk.0.w"]);
  });

  it("with blocks gives whole rows of them, and a type that is not read by its name", async () => {
    const file = written({
      tensors: [
        { name: "q", dimensions: [64, 3], type: 8, data: new Uint8Array(6 * 34).fill(0x3c) },
        { name: "iq", dimensions: [256, 2], type: 16, data: new Uint8Array(132) },
      ],
    });
    const [quantized, other] = (await readGguf(file)).tensors;
    expect(quantized).toMatchObject({ dataType: "Q8_0", shape: [3, 64], byteLength: 204 });
    const row = await readTensor(rows(quantized!, 1, 2));
    expect([...row]).toEqual(Array(64).fill(60 * 1.05859375));
    expect(() => rows(transposed(quantized!), 1, 2)).toThrow("only whole ones can be taken");
    expect(other).toMatchObject({ dataType: "IQ2_XXS" });
    expect(await failureOf(readTensor(other!), CheckpointError)).toContain(
      'tensor "iq": IQ2_XXS holds no weights that are read',
    );
  });
});

describe("a GGUF file that contradicts itself", () => {
  const valid: GgufFixture = {
    metadata: [["general.alignment", ["u32", 64]]],
    tensors: [matrix, vector],
    alignment: 64,
  };
  const dims = (dimensions: readonly (number | bigint)[]): GgufFixture => ({
    ...valid,
    tensors: [{ ...matrix, dimensions }],
  });
  const at = (offset: bigint): GgufFixture => ({
    ...valid,
    tensors: [matrix, { ...vector, offset }],
  });
  const arrays = (depth: number): TypedValue =>
    depth === 0 ? ["array", "u8", [1]] : ["array", "array", [arrays(depth - 1)]];
  const stating = (key: string, value: TypedValue): GgufFixture => ({
    metadata: [[key, value]],
  });

  it("has a twin that does not", async () => {
    expect((await readGguf(written(valid))).tensors).toHaveLength(2);
    await readGguf(written(stating("a", arrays(limits.ggufArrayDepth - 1))));
    await readGguf(written(at(64n)));
    await readGguf(written(dims([3, 1, 2])));
  });

  it.each<[string, GgufFixture, string]>([
    ["begins otherwise", { ...valid, magic: "GGML" }, 'does not begin with "GGUF"'],
    ["is of version 1", { ...valid, version: 1 }, "is of GGUF version 1; versions 2 and 3"],
    ["is of version 4", { ...valid, version: 4 }, "is of GGUF version 4"],
    ["is big-endian", { ...valid, version: 0x03000000 }, "is a big-endian GGUF file"],
    ["states too many tensors", { ...valid, tensorCount: 2n ** 60n }, "more than the"],
    ["states too many keys", { ...valid, keyCount: 2n ** 63n }, "more than the"],
    ["states one tensor more", { ...valid, tensorCount: 3n }, ""],
    [
      "has an array of more items than fit",
      stating("a", ["array", "u64", [1n], 1000n]),
      'metadata "a": states 1000 items of type uint64, more than',
    ],
    [
      "has an endless text",
      stating("a", ["raw", 8, Buffer.from("ffffffffffffffff", "hex")]),
      'metadata "a": states 18446744073709551615 bytes of text',
    ],
    ["has a value of no type", stating("a", ["raw", 13, Buffer.alloc(8)]), "is of type 13"],
    [
      "has arrays in arrays in arrays",
      stating("a", arrays(limits.ggufArrayDepth)),
      "has arrays in arrays, more than 4 deep",
    ],
    [
      "states a key twice",
      {
        metadata: [
          ["a", ["u8", 1]],
          ["a", ["u8", 2]],
        ],
      },
      'states "a" twice',
    ],
    ["has a tensor twice", { tensors: [matrix, matrix] }, 'tensor "blk.0.w" is there twice'],
    [
      "has a strange alignment",
      stating("general.alignment", ["u32", 48]),
      "general.alignment is 48; expected a power of two",
    ],
    ["has an alignment of none", stating("general.alignment", ["u32", 0]), "alignment is 0"],
    ["has an alignment in words", stating("general.alignment", ["string", "a"]), 'is "a"'],
    ["has too many axes", dims([3, 2, 1, 1, 1, 1, 1, 1, 1]), "has 9 axes; the limit is 8"],
    ["has a tensor beyond its end", dims([3, 2000]), "would end at byte"],
    ["has a tensor of 2^64 bytes", dims([2n ** 62n]), "would end at byte"],
    ["has a tensor whose size wraps around", dims([2n ** 32n, 2n ** 32n]), "would end at byte"],
    ["has an empty tensor of endless rows", dims([2n ** 63n, 0]), "would end at byte"],
    ["has overlapping tensors", at(0n), "tensors may not overlap"],
    ["has a tensor off its alignment", at(40n), "which is no multiple of 64"],
    [
      "has a tensor of no type",
      { tensors: [{ ...matrix, type: 4 }] },
      "is of ggml type 4, which is not known",
    ],
    [
      "has rows of broken blocks",
      { tensors: [{ name: "q", dimensions: [40, 2], type: 2, data: new Uint8Array(64) }] },
      "its rows of 40 elements are not whole blocks of Q4_0, which have 32",
    ],
  ])("because it %s is refused", async (_, fixture, words) => {
    const file = written(fixture);
    const message = await failureOf(readGguf(file), CheckpointError);
    expect(message.startsWith(`${file}: `)).toBe(true);
    expect(message).toContain(words);
  });

  it("because it hides a long array in an array of one is refused, whoever asks for it", async () => {
    const bytes = (length: number): TypedValue => [
      "raw",
      9,
      Buffer.concat([uint32(1), uint64(length), Buffer.alloc(length)]),
    ];
    const inArrays = (...arrays: TypedValue[]): TypedValue => ["array", "array", arrays];
    const of = (length: number): TypedValue => ["array", "i8", Array<number>(length).fill(1)];
    const most = limits.ggufConfigItems;
    // The array of one or two counts its own items too.
    const pairs: [TypedValue, TypedValue][] = [
      [inArrays(of(most)), inArrays(of(most - 1))],
      [inArrays(of(most - 10), of(9)), inArrays(of(most - 10), of(8))],
      [inArrays(inArrays(of(most - 1))), inArrays(inArrays(of(most - 2)))],
    ];
    for (const [wrong, right] of pairs) {
      expect(await failureOf(readGguf(written(stating("a", wrong))), CheckpointError)).toContain(
        `metadata "a": holds ${most + 1} items in arrays in arrays; the limit is ${most}`,
      );
      expect((await readGguf(written(stating("a", right)))).config?.value).toHaveProperty("a");
    }
    const asked = (value: TypedValue): Promise<unknown> =>
      readGgufMetadata(
        written({
          metadata: [
            ["tokenizer.a", ["u8", 1]],
            ["tokenizer.b", value],
          ],
        }),
        () => true,
      );
    const began = performance.now();
    expect(await failureOf(asked(bytes(limits.ggufItems + 1)), CheckpointError)).toContain(
      `items of the header's arrays to ${limits.ggufItems + 1}; the limit is ${limits.ggufItems}`,
    );
    expect(performance.now() - began).toBeLessThan(1000);
    const kept = (await asked(bytes(limits.ggufItems))) as ReadonlyMap<string, unknown[]>;
    expect(kept.get("tokenizer.b")).toHaveLength(limits.ggufItems);
  });

  it("because it ends anywhere before its last tensor does is refused", async () => {
    const whole = encodeGguf({ metadata: [["a", ["string", "bc"]]], tensors: [matrix] });
    // Its last tensor, of 24 bytes, is padded to 32.
    for (let length = 0; length < whole.length - 8; length++) {
      const file = join(scratch(), "model.gguf");
      writeFileSync(file, whole.subarray(0, length));
      await failureOf(readGguf(file), CheckpointError);
    }
  });
});

describe("a model in several GGUF files", () => {
  const part = (at: number, tensor: TensorFixture): GgufFixture => ({
    metadata: [
      ["split.no", ["u16", at]],
      ["split.count", ["u16", 3]],
      ["split.tensors.count", ["i32", 3]],
      ...(at === 0 ? ([["general.architecture", ["string", "llama"]]] as const) : []),
    ],
    tensors: [tensor],
  });
  const partNames = [1, 2, 3].map((at) => `m-0000${at}-of-00003.gguf`);
  const inFolder = (): string => {
    const folder = scratch();
    for (const [at, name] of partNames.entries()) {
      writeFileSync(join(folder, name), encodeGguf(part(at, { ...matrix, name: `w${at}` })));
    }
    return folder;
  };

  it("opens by its folder and by any of them", async () => {
    const folder = inFolder();
    for (const path of [folder, ...partNames.map((name) => join(folder, name))]) {
      const opened = await openCheckpoint(path);
      expect([...opened.tensors.keys()]).toEqual(["w0", "w1", "w2"]);
      expect(opened.directoryFile).toBe(join(folder, partNames[0]!));
      expect(opened.config?.value["general.architecture"]).toBe("llama");
      expect([...opened.tensors.values()].map(({ file }) => file)).toEqual(
        partNames.map((name) => join(folder, name)),
      );
    }
  });

  it("opens through the links of a cache", async () => {
    const folder = inFolder();
    mkdirSync(join(folder, "blobs"));
    mkdirSync(join(folder, "snapshot"));
    for (const name of partNames) {
      renameSync(join(folder, name), join(folder, "blobs", `hash of ${name}`));
      symlinkSync(join("..", "blobs", `hash of ${name}`), join(folder, "snapshot", name));
    }
    const opened = await openCheckpoint(join(folder, "snapshot"));
    expect(opened.tensors.size).toBe(3);
    expect(opened.tensors.get("w2")!.file).toContain("blobs");
  });

  it("names a part that is missing, or renamed, and tensors that are", async () => {
    const folder = inFolder();
    renameSync(join(folder, partNames[1]!), join(folder, "other"));
    const first = join(folder, partNames[0]!);
    expect(await failureOf(openCheckpoint(first), CheckpointError)).toContain(
      'part "m-00002-of-00003.gguf" is missing',
    );
    renameSync(first, join(folder, "first.gguf"));
    const renamed = openCheckpoint(join(folder, "first.gguf"));
    expect(await failureOf(renamed, CheckpointError)).toContain("is a part of a model in 3 files");
    const lacking = inFolder();
    writeFileSync(join(lacking, partNames[2]!), encodeGguf({}));
    expect(await failureOf(openCheckpoint(lacking), CheckpointError)).toContain(
      "hold 2 tensors; its split.tensors.count is 3",
    );
  });
});

const stories = fileURLToPath(
  new URL("../../../../../shared/checkpoints/stories260k-gguf/stories260K.gguf", import.meta.url),
);

describe.skipIf(!existsSync(stories))("TinyStories 260K as GGUF", () => {
  it("opens with its architecture", async () => {
    const { tensors, config, format } = await openCheckpoint(stories);
    expect(format).toBe("GGUF");
    expect(tensors.size).toBe(48);
    expect(tensors.get("token_embd.weight")).toMatchObject({
      dataType: "F32",
      shape: [512, 64],
      offset: 14176,
    });
    expect(config?.value).toMatchObject({
      "general.architecture": "llama",
      "llama.block_count": 5,
      "llama.attention.head_count_kv": 4,
    });
  });
});

function written(fixture: GgufFixture): string {
  const file = join(scratch(), "model.gguf");
  writeFileSync(file, encodeGguf(fixture));
  return file;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
