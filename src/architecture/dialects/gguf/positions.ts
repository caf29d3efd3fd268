/** Rotary positions as GGUF's metadata states them, under the keys of Hugging Face's config.json. */
import { written } from "../../../checkpoint/errors";
import type { Keys } from "./keys";

/** Channels of a head, where stated; those that are rotated must be all of them. */
export function wholeHeadSize(keys: Keys): unknown {
  const size = headSize(keys);
  const rotated = keys.get("rope.dimension_count") ?? size;
  if (rotated !== size) throw keys.refusal("rope.dimension_count", `expected ${written(size)}`);
  return keys.get("attention.key_length");
}

/** The share of a head's channels that is rotated: all of them where it is not stated. */
export function rotatedShare(keys: Keys): number {
  const size = headSize(keys);
  const rotated = keys.get("rope.dimension_count") ?? size;
  if (typeof rotated !== "number" || !Number.isInteger(rotated) || rotated > size) {
    throw keys.refusal("rope.dimension_count", `expected a number up to ${written(size)}`);
  }
  // A little more than the quotient, so that the product is not a little less than the whole number.
  return rotated === size ? 1 : (rotated / size) * (1 + Number.EPSILON);
}

function headSize(keys: Keys): number {
  const implied = keys.number("embedding_length") / keys.number("attention.head_count");
  const size = keys.get("attention.key_length") ?? implied;
  if (typeof size !== "number") throw keys.refusal("attention.key_length", "expected a number");
  const values = keys.get("attention.value_length") ?? size;
  if (values !== size) throw keys.refusal("attention.value_length", `expected ${written(size)}`);
  return size;
}

/** How frequencies are stretched; undefined where they are not. */
export function scalingOf(keys: Keys): object | undefined {
  const type = keys.get("rope.scaling.type") ?? "none";
  // The key before scaling had types.
  const factor = keys.get("rope.scaling.factor") ?? keys.get("rope.scale_linear");
  if (type === "none" && (factor === undefined || factor === 1 || factor === 0)) return undefined;
  if (type === "none" || type === "linear") return { rope_type: "linear", factor };
  const original = keys.get("rope.scaling.original_context_length");
  if (type !== "yarn" || original === undefined) {
    throw keys.refusal(
      "rope.scaling.type",
      "supported are none, linear, and yarn with rope.scaling.original_context_length",
    );
  }
  return {
    rope_type: "yarn",
    factor,
    original_max_position_embeddings: original,
    beta_fast: keys.get("rope.scaling.yarn_beta_fast"),
    beta_slow: keys.get("rope.scaling.yarn_beta_slow"),
  };
}
