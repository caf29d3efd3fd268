import type { Checkpoint } from "../checkpoint/checkpoint";
import type { Architecture, Stack } from "./description";
import type { SchemeName } from "./schemes";

/** A model family: which configs are its own, and how to describe their checkpoints. */
export interface Family {
  readonly name: string;
  /** Whether a config.json, and where it does not say, the names of tensors, are of this family. */
  readonly recognises: (
    config: Readonly<Record<string, unknown>>,
    tensors: Checkpoint["tensors"],
  ) => boolean;
  /** @param stack the user's word on which stack to measure; families of one stack take no notice */
  readonly describe: (
    checkpoint: Checkpoint,
    config: NonNullable<Checkpoint["config"]>,
    scheme: SchemeName | undefined,
    stack: Stack | undefined,
  ) => Architecture;
}
