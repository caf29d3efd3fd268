/**
 * The header of a GGUF file, version 2 or 3 (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md):
 * "GGUF", the version, the counts, metadata as typed key-value pairs, and what tensors lie where.
 */
import { CheckpointError, quote } from "../../errors";
import { limits } from "../../limits";
import type { FileRange } from "../fileRange";
import type { GgufValue } from "./values";
import { ItemCount, readValue } from "./values";
import { Cursor, EndOfBytes } from "./cursor";

export interface GgufHeader {
  readonly version: number;
  /** The values under their keys, as far as `keep` kept them. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where the header ends, and, aligned, the data begins. */
  readonly headerEnd: number;
}

export interface GgufTensor {
  readonly name: string;
  /** Innermost axis first, as ggml counts. */
  readonly dimensions: readonly bigint[];
  /** ggml's number of the type. */
  readonly type: number;
  /** Byte offset from where the data begins. */
  readonly offset: bigint;
}

/**
 * The most items that are wanted of an array and the arrays in it, undefined for none; longer arrays
 * are checked and passed over.
 */
export type Keep = (key: string) => number | undefined;

/** Read first; a header with a tokenizer of 150,000 pieces has up to ten megabytes. */
const firstBytes = 2 ** 16;

/**
 * Reads no more of the file than its header needs: a beginning of it, four times as long each time until
 * it holds the header, and read afresh, so that nothing depends on where one piece ends.
 *
 * @throws CheckpointError when anything contradicts the format, the file's size or a limit
 */
export async function readHeader(whole: FileRange, keep: Keep): Promise<GgufHeader> {
  const { file, bytes: size } = whole;
  const most = Math.min(size, limits.ggufHeaderBytes);
  let bytes: Buffer = Buffer.alloc(0);
  let wanted = Math.min(most, firstBytes);
  for (;;) {
    bytes = Buffer.concat([bytes, await whole.read(bytes.length, wanted - bytes.length)]);
    try {
      return parseHeader(file, new Cursor(bytes, size), keep);
    } catch (error) {
      if (!(error instanceof EndOfBytes)) throw error;
      if (error.needed > most) {
        throw new CheckpointError(
          "header",
          most < size
            ? `${file}: its header is longer than ${most} bytes, which is the limit.`
            : `${file}: its header goes on after byte ${size}, where the file ends; the file is truncated.`,
        );
      }
      wanted = Math.min(most, Math.max(4 * bytes.length, error.needed));
    }
  }
}

function parseHeader(file: string, cursor: Cursor, keep: Keep): GgufHeader {
  const fail = (what: string): never => {
    throw new CheckpointError("header", `${file}: ${what}.`);
  };
  if (cursor.take(4).toString("latin1") !== "GGUF") fail('does not begin with "GGUF"');
  const version = cursor.u32();
  if (version > 0 && (version & 0xffff) === 0) {
    throw new CheckpointError(
      "unsupported",
      `${file}: is a big-endian GGUF file; only little-endian ones are read.`,
    );
  }
  if (version !== 2 && version !== 3) {
    throw new CheckpointError(
      "unsupported",
      `${file}: is of GGUF version ${version}; versions 2 and 3 are read.`,
    );
  }
  const tensorCount = cursor.count("tensors", leastTensorBytes, fail);
  const keyCount = cursor.count("metadata keys", leastPairBytes, fail);
  const metadata = new Map<string, GgufValue>();
  const keys = new Set<string>();
  const kept = new ItemCount();
  for (let at = 0; at < keyCount; at++) {
    const key = cursor.string(limits.ggufNameBytes, fail);
    if (keys.has(key)) fail(`states ${quote(key)} twice`);
    keys.add(key);
    const value = readValue(cursor, key, keep(key), kept, fail);
    if (value !== undefined) metadata.set(key, value);
  }
  const tensors: GgufTensor[] = [];
  for (let at = 0; at < tensorCount; at++) tensors.push(readTensorInfo(cursor, fail));
  return { version, metadata, tensors, headerEnd: cursor.at };
}

/** Bytes of a pair at least: the length of its key, the type, and a value of one byte. */
const leastPairBytes = 8 + 4 + 1;
/** Bytes of a tensor's entry at least: the length of its name, the rank, the type and the offset. */
const leastTensorBytes = 8 + 4 + 4 + 8;

function readTensorInfo(cursor: Cursor, fail: (what: string) => never): GgufTensor {
  const name = cursor.string(limits.ggufNameBytes, fail);
  const rank = cursor.u32();
  if (rank > limits.tensorRank) {
    fail(`tensor ${quote(name)}: has ${rank} axes; the limit is ${limits.tensorRank}`);
  }
  const dimensions = Array.from({ length: rank }, () => cursor.u64());
  return { name, dimensions, type: cursor.u32(), offset: cursor.u64() };
}
