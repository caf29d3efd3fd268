import { lineageSchema } from "../config";
import type { LineageTraits } from "../llamaLineage";
import { lineageFamily } from "../llamaLineage";

/** Llama 1, 2 and 3 (arXiv 2302.13971, 2307.09288, 2407.21783), and every model saved as one. */
export const llamaTraits: LineageTraits = {
  family: "llama",
  schema: lineageSchema,
  biases: ({ attention_bias, mlp_bias }) => ({
    queryKeyValue: attention_bias ?? false,
    attentionOutput: attention_bias ?? false,
    feedForward: mlp_bias ?? false,
  }),
  queryKeyNorm: false,
  window: () => undefined,
};

export const llama = lineageFamily(llamaTraits, (config) => config["model_type"] === "llama");
