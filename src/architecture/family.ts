import type { Checkpoint } from "../checkpoint/checkpoint";
import type { Architecture } from "./description";
import type { SchemeName } from "./schemes";

/** A model family: which configs are its own, and how to describe their checkpoints. */
export interface Family {
  readonly name: string;
  /** Whether a config.json, and where it does not say, the names of tensors, are of this family. */
  readonly recognises: (
    config: Readonly<Record<string, unknown>>,
    tensors: Checkpoint["tensors"],
  ) => boolean;
  readonly describe: (
    checkpoint: Checkpoint,
    config: NonNullable<Checkpoint["config"]>,
    scheme: SchemeName | undefined,
  ) => Architecture;
}
