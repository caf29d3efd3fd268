import type { TensorEntry } from "../../../checkpoint/checkpoint";
import type { Differences } from "../dialect";
import type { Names } from "../names";
import type { Keys } from "./keys";

/** One of llama.cpp's architectures (its src/llama-arch.cpp names the tensors and the keys). */
export interface GgufArchitecture {
  /** Its tensors under Hugging Face's names. */
  readonly names: Names;
  /** What llama.cpp's conversion did to tensors, undone one after another, on the renamed tensors. */
  readonly undo?: readonly Undo[];
  /** Tensors whose numbers go into the config. */
  readonly readByConfig?: RegExp;
  /** In what every model of it differs from what its family says. */
  readonly differences?: Differences;
  /**
   * The keys of Hugging Face's config.json, `model_type` among them.
   *
   * @throws CheckpointError when the metadata does not state what the family needs
   */
  readonly config: (
    keys: Keys,
    tensors: Tensors,
  ) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
}

export type Tensors = ReadonlyMap<string, TensorEntry>;

/** A step back: tensors under Hugging Face's names, before and after it. */
export type Undo = (tensors: Tensors, keys: Keys) => Tensors;
