import { basename } from "node:path";
import { elementCount, type TensorEntry } from "../checkpoint";
import type { DataType } from "../dataType";
import { dataTypes } from "../dataType";
import { CheckpointError, lineOf, quote, written } from "../errors";
import { limits } from "../limits";
import { isRecord } from "../record";
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
 * @param named path by which it was named, which may be a link
 * @returns the tensors in the order of their offsets, and the file's size in bytes
 * @throws CheckpointError when anything contradicts the format or the file's size
 */
export async function readSafetensors(file: string, named = file): Promise<FileContents> {
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
    return { tensors: parseHeader(file, named, header, size), bytes: size };
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

interface TensorHeader {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isTensorHeader(value: unknown): value is TensorHeader {
  return flawOf(value) === undefined;
}

/** What is wrong with a header entry: where in it, what is there and what should be. */
interface Flaw {
  readonly at: string;
  readonly found: unknown;
  readonly expected: string;
}

function flawOf(value: unknown): Flaw | undefined {
  if (!isRecord(value)) return { at: "header entry", found: value, expected: "an object" };
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") return { at: "dtype", found: dtype, expected: "a text" };
  const flaw = flawOfSizes("shape", shape) ?? flawOfSizes("data_offsets", offsets);
  if (flaw !== undefined || (offsets as number[]).length === 2) return flaw;
  return { at: "data_offsets", found: offsets, expected: "a list of 2" };
}

function flawOfSizes(at: string, sizes: unknown): Flaw | undefined {
  if (!Array.isArray(sizes)) return { at, found: sizes, expected: "a list" };
  const wrong = sizes.findIndex((size) => !Number.isSafeInteger(size) || (size as number) < 0);
  if (wrong < 0) return undefined;
  const found: unknown = sizes[wrong];
  const expected = Number.isSafeInteger(found) ? "at least 0" : "a whole number";
  return { at: `${at}.${wrong}`, found, expected };
}

function parseHeader(file: string, named: string, header: Buffer, fileSize: number): TensorEntry[] {
  let directory: unknown;
  try {
    directory = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch (error) {
    throw new CheckpointError("header", `${file}: the header is not JSON: ${lineOf(error)}.`);
  }
  if (directory === null || typeof directory !== "object" || Array.isArray(directory)) {
    throw new CheckpointError("header", `${file}: the header is not a JSON object of tensors.`);
  }
  const entries = Object.entries(directory);
  // Of an entry that is there twice, JavaScript takes the last; others take the first, or refuse.
  if (membersOf(header) > entries.length) {
    throw new CheckpointError("header", `${file}: the header has two entries of one name.`);
  }
  if (isDivided((directory as Record<string, unknown>)["__metadata__"], basename(named))) {
    throw new CheckpointError(
      "unsupported",
      `${file}: has of each tensor only what one process held, as torch.distributed.checkpoint's HuggingFaceStorageWriter keeps them; make whole files of them with consolidate_safetensors_files of torch.distributed.checkpoint._consolidate_hf_safetensors.`,
    );
  }
  const dataStart = 8 + header.length;
  const tensors = entries
    .filter(([name]) => name !== "__metadata__")
    .map(([name, value]) => parseTensor(file, name, value, dataStart, fileSize));
  return inOrder(file, tensors, dataStart);
}

/** How PyTorch names the files in which each process keeps its own parts (its `_hf_utils.py`). */
const dividedName = /^shard-\d{5,}-/;

/**
 * Whether its tensors are parts of whole ones. What says where in those they begin does not tell it:
 * PyTorch writes that into whole files too, and then all begin at their start.
 */
function isDivided(metadata: unknown, name: string): boolean {
  if (!isRecord(metadata) || !Object.hasOwn(metadata, "DCP_SHARDING_INFO")) return false;
  return dividedName.test(name) || !beginsWhole(metadata["DCP_SHARDING_INFO"]);
}

/** Whether it is an object, as JSON, that states for each of its tensors offsets of 0 alone. */
function beginsWhole(sharding: unknown): boolean {
  if (typeof sharding !== "string") return false;
  let stated: unknown;
  try {
    stated = JSON.parse(sharding);
  } catch {
    return false;
  }
  if (!isRecord(stated)) return false;
  return Object.values(stated).every((tensor) => {
    const offsets = isRecord(tensor) ? tensor["saved_offsets"] : undefined;
    return Array.isArray(offsets) && offsets.every((offset) => offset === 0);
  });
}

/** How many members the object has that valid JSON states: the colons of its own. */
function membersOf(json: Buffer): number {
  let members = 0;
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === bytes.quote) isInText = !isInText;
    else if (isInText) at += byte === bytes.backslash ? 1 : 0;
    else if (byte === bytes.colon) members += depth === 1 ? 1 : 0;
    else if (byte === bytes.brace || byte === bytes.bracket) depth++;
    else if (byte === bytes.braceEnd || byte === bytes.bracketEnd) depth--;
  }
  return members;
}

const bytes = {
  quote: 0x22,
  colon: 0x3a,
  bracket: 0x5b,
  backslash: 0x5c,
  bracketEnd: 0x5d,
  brace: 0x7b,
  braceEnd: 0x7d,
};

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
    const { at, found, expected } = flawOf(value)!;
    return fail(`its ${at} is ${written(found)}; expected ${expected}`);
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
