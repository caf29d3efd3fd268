import { lineageFamily, windowOfLayerTypes } from "../llamaLineage";

/** Qwen3, dense (arXiv 2505.09388): a norm on each head's queries and keys, no biases by default. */
export const qwen3 = lineageFamily(
  {
    family: "qwen3",
    biases: ({ attention_bias }) => ({
      queryKeyValue: attention_bias ?? false,
      attentionOutput: attention_bias ?? false,
      feedForward: false,
    }),
    queryKeyNorm: true,
    defaultHeadSize: 128,
    window: windowOfLayerTypes,
  },
  (config) => config["model_type"] === "qwen3",
);
