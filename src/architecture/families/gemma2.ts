import * as z from "zod";
import { lineageSchema, positive } from "../config";
import { lineageFamily, windowSize } from "../llamaLineage";
import { gemmaTraits } from "./gemma";

/** The keys that Gemma 2 and 3 have besides Llama's; null switches a cap off, as an absent key may not. */
export const gemma2Schema = lineageSchema.extend({
  hidden_activation: z.string().default("gelu_pytorch_tanh"),
  query_pre_attn_scalar: positive.default(256),
  attn_logit_softcapping: positive.nullable().default(50),
  final_logit_softcapping: positive.nullable().default(30),
});

export type Gemma2Config = z.infer<typeof gemma2Schema>;

/** What Gemma 2 and 3 share. */
export const gemma2Traits = {
  ...gemmaTraits,
  activation: ({ hidden_activation: name }: Gemma2Config) => ["hidden_activation", name] as const,
  headSoftcap: ({ final_logit_softcapping: cap }: Gemma2Config) => cap ?? undefined,
};

/** Whether a layer's attention is local: as `layer_types` says, or all but every `pattern`-th. */
export function isLocal(
  { layer_types: types }: Gemma2Config,
  layer: number,
  pattern: number,
): boolean {
  return types ? types[layer] === "sliding_attention" : (layer + 1) % pattern !== 0;
}

/** Gemma 2 (arXiv 2408.00118): sandwich norms, capped scores and logits, every second layer local. */
export const gemma2 = lineageFamily(
  {
    ...gemma2Traits,
    family: "gemma2",
    schema: gemma2Schema,
    window: (config, layer) => (isLocal(config, layer, 2) ? windowSize(config) : undefined),
    attention: ({ query_pre_attn_scalar, attn_logit_softcapping }) => ({
      scale: query_pre_attn_scalar ** -0.5,
      softcap: attn_logit_softcapping ?? undefined,
    }),
  },
  (config) => config["model_type"] === "gemma2",
);
