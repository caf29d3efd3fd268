import type { Checkpoint, TensorEntry } from "../checkpoint";
import type { TokenizerSource } from "../tokenizerSource";

/** A file format of checkpoints: how its files are told, and how their directory is read. */
export interface Format {
  /** As reports name it, for example `safetensors`. */
  readonly name: string;
  /** What its one file in a folder is usually called, the likeliest first; none where no name tells. */
  readonly usual: readonly string[];
  /**
   * Whether a file is of this format.
   *
   * @param name the file's name without its folder
   * @param head its first `headBytes` bytes, fewer where it is shorter
   * @param bytes its size
   */
  readonly recognises: (name: string, head: Uint8Array, bytes: number) => boolean;
  /** How the names of its indexes end: JSON files whose `weight_map` says which shard holds what. */
  readonly index?: string;
  /** Whether its files state the whole model themselves, so that no config.json beside is looked for. */
  readonly isSelfContained?: boolean;
  /** Whether its files have a folder to themselves, inside that of the model's other files. */
  readonly fillsFolder?: boolean;
  /** The name of the file that is read where a file is part of a model in several, without an index. */
  readonly leads?: (name: string) => string;
  /**
   * Reads the directory of one file; reads no weights.
   *
   * @param file real path of the file
   * @param named the path it was found by, beside which the files of the same checkpoint are
   * @throws CheckpointError when anything contradicts the format or the file's size
   */
  readonly read: (file: string, named: string) => Promise<FileContents>;
}

/** Enough of a file's beginning to tell every format by its first bytes. */
export const headBytes = 64;

/** What one file holds. */
export interface FileContents {
  /** The tensors, in the order in which they lie. */
  readonly tensors: readonly TensorEntry[];
  /** The file's size in bytes. */
  readonly bytes: number;
  /** What the file itself states of the model, under its format's own keys. */
  readonly config?: Checkpoint["config"];
  /** The tokenizer it holds beside the weights. */
  readonly tokenizer?: TokenizerSource;
}
