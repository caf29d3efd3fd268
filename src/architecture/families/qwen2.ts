import { lineageSchema } from "../config";
import { lineageFamily, windowOfLayerTypes } from "../llamaLineage";

/** Qwen2 and Qwen2.5 (arXiv 2407.10671): biases on queries, keys and values. */
export const qwen2 = lineageFamily(
  {
    family: "qwen2",
    schema: lineageSchema,
    biases: () => ({ queryKeyValue: true, attentionOutput: false, feedForward: false }),
    queryKeyNorm: false,
    window: windowOfLayerTypes,
  },
  (config) => config["model_type"] === "qwen2",
);
