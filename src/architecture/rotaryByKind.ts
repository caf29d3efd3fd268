import * as z from "zod";
import type { LineageConfig } from "./config";
import { rotaryOf, rotaryParameters } from "./config";
import type { Rotary } from "./description";
import type { FamilyReader } from "./familyReader";
import { rotary } from "./rotary";

/** Whether a layer attends to all tokens before it or to the latest, as `layer_types` calls it. */
export type KindOfLayer = "full_attention" | "sliding_attention";

const byKind = z.object({
  rope_parameters: z
    .object({
      full_attention: rotaryParameters.nullish(),
      sliding_attention: rotaryParameters.nullish(),
    })
    .nullish(),
});

/**
 * The rotation of one kind of layer: local ones may have a base of their own, and a scaling that is not
 * stated by kind is of global ones alone.
 *
 * @param base of its frequencies, where the config states none by kind
 * @throws CheckpointError when rope_parameters are not stated by kind
 */
export function rotaryOfKind(
  reader: FamilyReader,
  config: LineageConfig,
  kind: KindOfLayer,
  headSize: number,
  base: number,
): Rotary {
  const { rope_parameters: kinds } = reader.parse(byKind);
  if (config.rope_parameters && !(kinds?.full_attention ?? kinds?.sliding_attention)) {
    throw reader.refusal(
      "rope_parameters",
      reader.config.value["rope_parameters"],
      "expected full_attention and sliding_attention in it",
    );
  }
  const own = kinds?.[kind] ?? undefined;
  const stated = {
    rope_theta: base,
    rope_scaling: kind === "full_attention" && !own ? config.rope_scaling : undefined,
    rope_parameters: own,
    max_position_embeddings: config.max_position_embeddings,
  };
  const { theta, scaling } = rotaryOf({ ...reader.config, value: stated }, stated);
  return rotary(headSize, theta, scaling);
}
