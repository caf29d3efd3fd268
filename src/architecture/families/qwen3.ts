import { lineageSchema } from "../config";
import type { LineageTraits } from "../llamaLineage";
import { lineageFamily, windowOfLayerTypes } from "../llamaLineage";

/** Qwen3, dense (arXiv 2505.09388): a norm on each head's queries and keys, no biases by default. */
export const qwen3Traits: LineageTraits = {
  family: "qwen3",
  schema: lineageSchema,
  biases: ({ attention_bias }) => ({
    queryKeyValue: attention_bias ?? false,
    attentionOutput: attention_bias ?? false,
    feedForward: false,
  }),
  queryKeyNorm: "head",
  defaultHeadSize: 128,
  window: windowOfLayerTypes,
};

export const qwen3 = lineageFamily(qwen3Traits, (config) => config["model_type"] === "qwen3");
