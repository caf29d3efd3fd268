import { join } from "node:path";
import { writeFileSync } from "node:fs";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import type { TensorEntry } from "../../../src/checkpoint/checkpoint";
import { readSafetensors } from "../../../src/checkpoint/formats/safetensors";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";
import { GraphBuilder } from "../../../src/graph/graph";
import { toOnnx } from "../../../src/graph/onnx";
import { GraphError } from "../../../src/graph/types";
import { encodeSafetensors } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("toOnnx", () => {
  it("leaves weights in their file: an initializer names location, offset and length", () => {
    const tensor: TensorEntry = {
      name: "model.w",
      dataType: "F16",
      shape: [3, 2],
      file: "/models/blobs/deep/abc",
      offset: 1234567,
      byteLength: 12,
    };
    const builder = new GraphBuilder();
    builder.output("y", builder.weight(tensor));
    const [weight] = initializersOf(toOnnx(builder.build(), "/models").bytes);
    expect(weight).toEqual({
      name: "model.w",
      dims: ["3", "2"],
      dataType: 10,
      dataLocation: 1,
      externalData: [
        { key: "location", value: "blobs/deep/abc" },
        { key: "offset", value: "1234567" },
        { key: "length", value: "12" },
      ],
    });
  });

  it("carries no weights of its own", () => {
    const builder = new GraphBuilder();
    const tensor: TensorEntry = {
      name: "w",
      dataType: "BF16",
      shape: [4096, 4096],
      file: "/models/model.safetensors",
      offset: 8,
      byteLength: 4096 * 4096 * 2,
    };
    builder.output("y", builder.weight(tensor));
    expect(toOnnx(builder.build(), "/models").bytes.length).toBeLessThan(500);
  });

  it("refuses to feed or return bfloat16, which has no array in JavaScript", () => {
    const builder = new GraphBuilder();
    builder.input("x", { elementType: "bfloat16", shape: [1] });
    expect(() => toOnnx(builder.build(), "/")).toThrow(GraphError);
  });

  it.each([
    ["F32", [1, -2, 0.5, 65504], (value: number) => float32(value)],
    ["F16", [1, -2, 0.5, 65504], (value: number) => float16(value)],
    ["BF16", [1, -2, 0.5, 2 ** 100], (value: number) => float32(value).subarray(2)],
  ] as const)(
    "gives ONNX Runtime the numbers of %s weights, at whatever offset they lie",
    async (dtype, numbers, encode) => {
      const file = join(scratch(), "odd name ü.safetensors");
      // Three bytes before them, so that no alignment helps.
      const encoded = encodeSafetensors([
        ["pad", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
        ["w", { dtype, shape: [2, 2], data: Buffer.concat(numbers.map(encode)) }],
      ]);
      writeFileSync(file, encoded);
      const { tensors } = await readSafetensors(file);
      const builder = new GraphBuilder();
      const zero = builder.input("zero", { elementType: "float32", shape: [] });
      const weight = builder.weight(tensors.find(({ name }) => name === "w")!);
      builder.output("y", builder.add(weight, zero));
      const executor = onnxRuntimeExecutor({
        provider: "cpu",
        threads: 1,
        weightsFolder: join(file, ".."),
      });
      const session = await executor.load(builder.build());
      const feeds = { zero: { type: "float32", data: new Float32Array(1), shape: [] } } as const;
      const { y } = await session.run(feeds, ["y"]);
      await session.release();
      expect([...y!]).toEqual(numbers);
    },
  );

  it("returns one value under two names, and an input as an output", async () => {
    const builder = new GraphBuilder();
    const x = builder.input("x", { elementType: "float32", shape: ["n"] });
    const doubled = builder.add(x, x);
    for (const name of ["a", "b"]) builder.output(name, doubled);
    builder.output("same", x);
    const executor = onnxRuntimeExecutor({ provider: "cpu", threads: 1, weightsFolder: "/" });
    const session = await executor.load(builder.build());
    const feeds = { x: { type: "float32", data: Float32Array.of(1, 2), shape: [2] } } as const;
    const found = await session.run(feeds, ["a", "b", "same"]);
    await session.release();
    expect(found).toEqual({
      a: Float32Array.of(2, 4),
      b: Float32Array.of(2, 4),
      same: Float32Array.of(1, 2),
    });
  });
});

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** Exact for the normal numbers of float16. */
function float16(value: number): Buffer {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE((value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction);
  return bytes;
}

/** The initializers of a serialized model, by ONNX's own field numbers. */
function initializersOf(model: Uint8Array): unknown[] {
  const root = protobuf.parse(`
    syntax = "proto2";
    message Model { optional Graph graph = 7; }
    message Graph { repeated Tensor initializer = 5; }
    message Entry { optional string key = 1; optional string value = 2; }
    message Tensor {
      repeated int64 dims = 1; optional int32 dataType = 2; optional string name = 8;
      optional bytes rawData = 9; repeated Entry externalData = 13; optional int32 dataLocation = 14;
    }`).root;
  const type = root.lookupType("Model");
  const decoded = type.toObject(type.decode(model), { longs: String });
  return decoded["graph"].initializer as unknown[];
}
