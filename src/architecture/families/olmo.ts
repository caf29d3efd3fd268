import type * as z from "zod";
import { lineageSchema, positive } from "../config";
import { lineageFamily } from "../llamaLineage";
import { llamaTraits } from "./llama";

const schema = lineageSchema.extend({ clip_qkv: positive.nullish() });

/** OLMo (arXiv 2402.00838): LayerNorm without parameters; queries, keys and values may be clamped. */
export const olmo = lineageFamily<z.infer<typeof schema>>(
  {
    ...llamaTraits,
    family: "olmo",
    schema,
    // OlmoConfig has no key for them, nor for ε: OlmoLayerNorm states it.
    biases: ({ attention_bias }) => ({
      queryKeyValue: attention_bias ?? false,
      attentionOutput: attention_bias ?? false,
      feedForward: false,
    }),
    norm: { kind: "layer", hasWeight: false, epsilon: 1e-5 },
    attention: ({ clip_qkv }) => ({ clip: clip_qkv ?? undefined }),
  },
  (config) => config["model_type"] === "olmo",
);
