/** A checkpoint's tensor directory as a person reads it: layer by layer, with sums. */
export interface CheckpointDirectory {
  /** For example `safetensors`. */
  readonly format: string;
  /** Paths of the weight files, as they were opened. */
  readonly files: readonly string[];
  /** Size on disk of all weight files together. */
  readonly bytes: number;
  readonly tensors: number;
  /** Scalars in all tensors. */
  readonly parameters: number;
  /** The same by element type, the largest share first. */
  readonly types: readonly TypeShare[];
  /** What stands before the layers, the layers of each stack, and what stands after. */
  readonly parts: readonly DirectoryPart[];
}

export interface TypeShare {
  readonly dataType: string;
  readonly parameters: number;
  /** What the tensors take in their files. */
  readonly bytes: number;
}

/** Tensors that stand together. */
export interface DirectoryPart {
  readonly kind: "before" | "layer" | "after" | "all";
  /** What the tensors' names begin with, for example `model.layers.7.`; empty outside layers. */
  readonly prefix: string;
  /** Index of the layer within its stack. */
  readonly layer?: number;
  readonly parameters: number;
  readonly bytes: number;
  readonly tensors: readonly TensorRow[];
}

/** One tensor: a tuple, because a checkpoint may have a hundred thousand. */
export type TensorRow = readonly [
  /** Without the part's prefix. */
  name: string,
  dataType: string,
  shape: readonly number[],
  bytes: number,
  /** Place in the directory's files. */
  file: number,
];
