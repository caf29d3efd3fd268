import type { DataType } from "./dataType";

/** A tensor's place in a file: a plain little-endian array in row-major order. */
export interface TensorEntry {
  readonly name: string;
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /** Real path of the file that holds it (symbolic links resolved). */
  readonly file: string;
  /** Byte offset in that file. */
  readonly offset: number;
  readonly byteLength: number;
}

export function isTensorEntry(value: object): value is TensorEntry {
  return "dataType" in value && "byteLength" in value;
}

/** A checkpoint that has been opened: its tensor directory, no weights. */
export interface Checkpoint {
  /** The path the user gave, absolute. */
  readonly path: string;
  /** The folder it lives in, where config.json and tokenizer.json are looked for. */
  readonly folder: string;
  readonly format: "safetensors";
  /** The path of the index or file that lists the tensors, for error messages. */
  readonly directoryFile: string;
  /** Size on disk of all weight files together. */
  readonly bytes: number;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** config.json as it was parsed, and its path; undefined when there is none. */
  readonly config:
    { readonly path: string; readonly value: Readonly<Record<string, unknown>> } | undefined;
  /** Path of tokenizer.json; undefined when there is none. */
  readonly tokenizer: string | undefined;
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
