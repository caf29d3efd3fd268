import * as z from "zod";
import { elementCount, type TensorEntry } from "../checkpoint";
import type { DataType } from "../dataType";
import { dataTypes } from "../dataType";
import { CheckpointError, lineOf, quote, written } from "../errors";
import { expectationOf } from "../expectation";
import { limits } from "../limits";
import { withFile } from "./fileRange";
import type { FileContents, Format } from "./format";
import { inOrder } from "./placed";

export const safetensors: Format = {
  name: "safetensors",
  usual: ["model.safetensors"],
  recognises: (name) => name.endsWith(".safetensors"),
  index: ".safetensors.index.json",
  read: readSafetensors,
};

/**
 * Reads the tensor directory of one safetensors file: 8 bytes of little-endian header length, a JSON
 * header, then the data (https://github.com/huggingface/safetensors#format). Reads no weights.
 *
 * @param file real path of the file
 * @returns the tensors in the order of their offsets, and the file's size in bytes
 * @throws CheckpointError when anything contradicts the format or the file's size
 */
export async function readSafetensors(file: string): Promise<FileContents> {
  return withFile(file, async (whole) => {
    const size = whole.bytes;
    if (size < 8) {
      throw new CheckpointError(
        "header",
        `${file}: is ${size} bytes long; a safetensors file begins with an 8-byte header length.`,
      );
    }
    const headerBytes = (await whole.read(0, 8)).readBigUInt64LE();
    if (headerBytes > BigInt(size - 8)) {
      throw new CheckpointError(
        "header",
        `${file}: states a header of ${headerBytes.toString()} bytes, but only ${size - 8} bytes follow; the file is truncated or is not safetensors.`,
      );
    }
    if (headerBytes > BigInt(limits.safetensorsHeaderBytes)) {
      throw new CheckpointError(
        "header",
        `${file}: states a header of ${headerBytes.toString()} bytes; the limit is ${limits.safetensorsHeaderBytes}.`,
      );
    }
    const header = await whole.read(8, Number(headerBytes));
    return { tensors: parseHeader(file, header, size), bytes: size };
  });
}

/** The types that the format knows, under its own names. */
const safetensorsTypes = [
  "F64",
  "F32",
  "F16",
  "BF16",
  "F8_E4M3",
  "F8_E5M2",
  "F8_E8M0",
  "F4",
  "F6_E2M3",
  "F6_E3M2",
  "I64",
  "I32",
  "I16",
  "I8",
  "U64",
  "U32",
  "U16",
  "U8",
  "BOOL",
  "C64",
] as const satisfies readonly DataType[];

function isSafetensorsType(name: string): name is (typeof safetensorsTypes)[number] {
  return (safetensorsTypes as readonly string[]).includes(name);
}

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Whether the schema takes it. A directory of the largest models has 100,000 entries: they are looked
 * at by hand in a tenth of the schema's time, which says what is wrong where something is.
 */
function isTensorHeader(value: unknown): value is z.infer<typeof tensorSchema> {
  if (typeof value !== "object" || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  return typeof dtype === "string" && areSizes(shape) && areSizes(offsets) && offsets.length === 2;
}

function areSizes(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0)
  );
}

function parseHeader(file: string, header: Buffer, fileSize: number): TensorEntry[] {
  let directory: unknown;
  try {
    directory = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch (error) {
    throw new CheckpointError("header", `${file}: the header is not JSON: ${lineOf(error)}.`);
  }
  if (directory === null || typeof directory !== "object" || Array.isArray(directory)) {
    throw new CheckpointError("header", `${file}: the header is not a JSON object of tensors.`);
  }
  const dataStart = 8 + header.length;
  const tensors = Object.entries(directory)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseTensor(file, name, value, dataStart, fileSize));
  return inOrder(file, tensors, dataStart);
}

function parseTensor(
  file: string,
  name: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): TensorEntry {
  const fail = (what: string): never => {
    throw new CheckpointError("tensor", `${file}: tensor ${quote(name)}: ${what}.`);
  };
  if (!isTensorHeader(value)) {
    const issue = tensorSchema.safeParse(value).error!.issues[0]!;
    const at = issue.path.length === 0 ? "header entry" : issue.path.join(".");
    const found = issue.path.reduce<unknown>(
      (outer, step) => (outer as Record<PropertyKey, unknown> | undefined)?.[step],
      value,
    );
    return fail(`its ${at} is ${written(found)}; ${expectationOf(issue)}`);
  }
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isSafetensorsType(dtype)) {
    return fail(`dtype ${quote(dtype)} is unknown; expected one of ${safetensorsTypes.join(", ")}`);
  }
  if (shape.length > limits.tensorRank) {
    return fail(`has ${shape.length} axes; the limit is ${limits.tensorRank}`);
  }
  const [start, end] = offsets;
  const dataBytes = fileSize - dataStart;
  if (start > end || end > dataBytes) {
    return fail(
      `data_offsets [${start}, ${end}] lie outside the ${dataBytes} bytes of data in the file`,
    );
  }
  const bits = elementCount(shape) * dataTypes[dtype].bits;
  // A product of untrusted sizes may exceed 2^53; below it is exact.
  const isExact = Number.isSafeInteger(bits);
  if (!isExact || Math.ceil(bits / 8) !== end - start) {
    const taken = isExact ? String(Math.ceil(bits / 8)) : bytesOfHuge(shape, dtype);
    return fail(
      `shape [${shape.join(", ")}] of ${dtype} takes ${taken} bytes, but data_offsets [${start}, ${end}] span ${end - start}`,
    );
  }
  return { name, dataType: dtype, shape, file, offset: dataStart + start, byteLength: end - start };
}

function bytesOfHuge(shape: readonly number[], dataType: DataType): string {
  const elements = shape.reduce((product, size) => product * BigInt(size), 1n);
  return ((elements * BigInt(dataTypes[dataType].bits) + 7n) / 8n).toString();
}
