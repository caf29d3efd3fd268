import type { Checkpoint } from "../../checkpoint/checkpoint";
import type { Dialect } from "./dialect";
import { gguf } from "./gguf/gguf";
import { meta } from "./meta";

const dialects: readonly Dialect[] = [gguf, meta];

/** The dialect that a checkpoint is in; undefined where it has Hugging Face's names, or unknown ones. */
export function dialectOf(checkpoint: Checkpoint): Dialect | undefined {
  return dialects.find(({ recognises }) => recognises(checkpoint));
}
