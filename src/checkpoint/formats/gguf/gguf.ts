import { basename } from "node:path";
import type { TensorEntry } from "../../checkpoint";
import type { DataType } from "../../dataType";
import { stored } from "../../dataType";
import { CheckpointError, quote, written } from "../../errors";
import { limits } from "../../limits";
import { withFile } from "../fileRange";
import type { FileContents, Format } from "../format";
import { inOrder } from "../placed";
import type { GgufHeader, GgufTensor, Keep } from "./header";
import { readHeader } from "./header";
import { firstPart, partsOf } from "./parts";
import type { GgufValue } from "./values";

export const gguf: Format = {
  name: "GGUF",
  usual: ["model.gguf"],
  recognises: (name, head) =>
    name.endsWith(".gguf") || Buffer.from(head.subarray(0, 4)).toString("latin1") === "GGUF",
  isSelfContained: true,
  leads: firstPart,
  read: readGguf,
};

/**
 * Reads the tensor directory and the metadata of a GGUF file and of the further parts it states.
 * Reads no weights. The metadata is its config, under its own keys, without the lists by token.
 *
 * @param file real path of the file
 * @param named the path it was found by, beside which its other parts lie
 * @throws CheckpointError when anything contradicts the format or the file's size
 */
export async function readGguf(file: string, named: string = file): Promise<FileContents> {
  const first = await readPart(file, belongsInConfig);
  const partFiles = await partsOf(named, first.header.metadata);
  const others = [];
  for (const part of partFiles) others.push(await readPart(part, belongsInConfig));
  const parts = [first, ...others];
  const tensors = parts.flatMap(({ tensors }) => tensors);
  requireOnce(tensors);
  requireAll(file, tensors.length, first.header.metadata);
  return {
    tensors,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    config: { path: file, value: Object.fromEntries(first.header.metadata) },
    ...(first.header.metadata.has("tokenizer.ggml.model") && {
      tokenizer: { kind: "gguf", path: file },
    }),
  };
}

/**
 * The metadata of a file under these keys, however long their lists are.
 *
 * @throws CheckpointError as `readGguf`
 */
export async function readGgufMetadata(
  file: string,
  isWanted: (key: string) => boolean,
): Promise<ReadonlyMap<string, GgufValue>> {
  const { header } = await readPart(file, (key) => (isWanted(key) ? Infinity : undefined));
  return header.metadata;
}

/** Lists by layer belong in a config; a tokenizer's lists have as many items as it has tokens. */
const belongsInConfig: Keep = (key) =>
  key.startsWith("tokenizer.") ? undefined : limits.ggufConfigItems;

interface Part {
  readonly header: GgufHeader;
  readonly tensors: readonly TensorEntry[];
  readonly bytes: number;
}

async function readPart(file: string, keep: Keep): Promise<Part> {
  return withFile(file, async (whole) => {
    const header = await readHeader(whole, keep);
    return { header, tensors: placed(file, header, whole.bytes), bytes: whole.bytes };
  });
}

/** The tensors where they lie in the file, in that order. */
function placed(file: string, header: GgufHeader, size: number): TensorEntry[] {
  const alignment = alignmentOf(file, header);
  const dataStart = Math.ceil(header.headerEnd / alignment) * alignment;
  const tensors = header.tensors.map((tensor) => place(file, tensor, alignment, dataStart, size));
  return inOrder(file, tensors, dataStart);
}

function place(
  file: string,
  { name, dimensions, type, offset }: GgufTensor,
  alignment: number,
  dataStart: number,
  size: number,
): TensorEntry {
  const fail = (what: string): never => {
    throw new CheckpointError("tensor", `${file}: tensor ${quote(name)}: ${what}.`);
  };
  const dataType = tensorTypes[type] ?? fail(`is of ggml type ${type}, which is not known`);
  const { bits, block = 1 } = stored(dataType);
  const row = dimensions[0] ?? 1n;
  if (row % BigInt(block) !== 0n) {
    fail(
      `its rows of ${row.toString()} elements are not whole blocks of ${dataType}, which have ${block}`,
    );
  }
  // Counted in big integers: a product of untrusted sizes may exceed 2^53.
  const elements = dimensions.reduce((product, size) => product * size, 1n);
  const byteLength = ((elements / BigInt(block)) * BigInt(bits)) / 8n;
  if (offset % BigInt(alignment) !== 0n) {
    fail(`begins at byte ${offset.toString()} of the data, which is no multiple of ${alignment}`);
  }
  const end = BigInt(dataStart) + offset + byteLength;
  // Where a size is zero the others are bounded by nothing else.
  if (end > BigInt(size) || dimensions.some((length) => length > BigInt(size) * 8n)) {
    fail(
      `its ${byteLength.toString()} bytes would end at byte ${end.toString()}; the file ends at byte ${size}`,
    );
  }
  return {
    name,
    dataType,
    shape: dimensions.map(Number).reverse(),
    file,
    offset: dataStart + Number(offset),
    byteLength: Number(byteLength),
  };
}

function alignmentOf(file: string, { metadata }: GgufHeader): number {
  const alignment = metadata.get("general.alignment") ?? 32;
  const isPowerOfTwo =
    typeof alignment === "number" &&
    alignment >= 1 &&
    alignment <= limits.ggufAlignment &&
    Number.isInteger(Math.log2(alignment));
  if (!isPowerOfTwo) {
    throw new CheckpointError(
      "header",
      `${file}: general.alignment is ${written(alignment)}; expected a power of two up to ${limits.ggufAlignment}.`,
    );
  }
  return alignment;
}

function requireOnce(tensors: readonly TensorEntry[]): void {
  const names = new Set<string>();
  for (const { name, file } of tensors) {
    if (names.has(name)) {
      throw new CheckpointError("tensor", `${file}: tensor ${quote(name)} is there twice.`);
    }
    names.add(name);
  }
}

function requireAll(file: string, found: number, metadata: GgufHeader["metadata"]): void {
  const stated = metadata.get("split.tensors.count");
  if (stated !== undefined && stated !== found) {
    throw new CheckpointError(
      "missingTensor",
      `${file}: ${basename(file)} and its parts hold ${found} tensors; its split.tensors.count is ${written(stated)}.`,
    );
  }
}

/** ggml's numbers of types; absent ones were withdrawn, or are not known. */
const tensorTypes: Readonly<Record<number, DataType>> = {
  0: "F32",
  1: "F16",
  2: "Q4_0",
  3: "Q4_1",
  6: "Q5_0",
  7: "Q5_1",
  8: "Q8_0",
  9: "Q8_1",
  10: "Q2_K",
  11: "Q3_K",
  12: "Q4_K",
  13: "Q5_K",
  14: "Q6_K",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  28: "F64",
  29: "IQ1_M",
  30: "BF16",
  34: "TQ1_0",
  35: "TQ2_0",
  39: "MXFP4",
};
