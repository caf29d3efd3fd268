import type { DataType } from "./dataType";
import type { TokenizerSource } from "./tokenizerSource";

/**
 * A tensor's place in a file. Where it says no more than that, it is a plain little-endian array in
 * row-major order; `readTensor` gives the numbers of any.
 */
export interface TensorEntry {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Real path of the file that holds it (symbolic links resolved). */
  readonly file: string;
  /** Byte offset in that file. */
  readonly offset: number;
  readonly byteLength: number;
  /** How its elements lie, where not row-major. */
  readonly view?: View;
  /** The compressed part of an archive that holds it: `offset` counts in what that unpacks to. */
  readonly member?: ArchiveMember;
  /** What the stored numbers are multiplied by. */
  readonly scale?: BlockScale;
  /** The parts that it is put together from: `offset` counts in what they make. */
  readonly chunks?: Chunks;
  /** Why its numbers cannot be told, where they cannot; as an error message says it. */
  readonly unusable?: string;
}

/** A row-major array put together from parts of it that lie elsewhere. */
export interface Chunks {
  readonly shape: readonly number[];
  /** Together they cover the array; each is a block of it that begins at `offsets`. */
  readonly parts: readonly { readonly offsets: readonly number[]; readonly tensor: TensorEntry }[];
}

/**
 * Axes of their own and the steps along them, in elements from `offset`; read in row-major order of
 * these axes, the elements are those of the tensor's shape.
 */
export interface View {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A member of a zip archive, compressed by deflate. */
export interface ArchiveMember {
  readonly offset: number;
  readonly byteLength: number;
  readonly unpackedBytes: number;
}

/** A factor for each block of this many rows and columns, as float8 weights have. */
export interface BlockScale {
  /** [⌈rows / block rows⌉, ⌈columns / block columns⌉] */
  readonly factors: TensorEntry;
  readonly block: readonly [rows: number, columns: number];
}

export function isTensorEntry(value: object): value is TensorEntry {
  return "dataType" in value && "byteLength" in value;
}

/** A checkpoint that has been opened: its tensor directory, no weights. */
export interface Checkpoint {
  /** The path the user gave, absolute. */
  readonly path: string;
  /** The folder it lives in, where config.json and the tokenizer's files are looked for. */
  readonly folder: string;
  /** For example `safetensors`. */
  readonly format: string;
  /** The path of the index or file that lists the tensors, for error messages. */
  readonly directoryFile: string;
  /** Size on disk of all weight files together. */
  readonly bytes: number;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** config.json as it was parsed, and its path; undefined when there is none. */
  readonly config:
    { readonly path: string; readonly value: Readonly<Record<string, unknown>> } | undefined;
  /** Where its tokenizer is; undefined when none is found. */
  readonly tokenizer: TokenizerSource | undefined;
  /** Path of the fathom.json that states how it is read; left out when there is none. */
  readonly statement?: string;
}

/** The name of the file beside a checkpoint that states how it is read. */
export const statementName = "fathom.json";

/** The files that hold a tensor. */
export function filesOf({ file, chunks }: TensorEntry): string[] {
  return chunks ? chunks.parts.flatMap(({ tensor }) => filesOf(tensor)) : [file];
}

/** Number of scalars in all tensors. */
export function parameterCount(checkpoint: Checkpoint): number {
  let count = 0;
  for (const tensor of checkpoint.tensors.values()) count += elementCount(tensor.shape);
  return count;
}

/** Number of scalars in a tensor of this shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
