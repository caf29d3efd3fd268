import type { LineageTraits } from "../llamaLineage";
import { lineageFamily, windowSize } from "../llamaLineage";
import { llamaTraits } from "./llama";

/** Mistral 7B (arXiv 2310.06825): Llama with a sliding window in every layer, where one is set. */
export const mistralTraits: LineageTraits = {
  ...llamaTraits,
  family: "mistral",
  // MistralConfig has no keys for them.
  biases: () => ({ queryKeyValue: false, attentionOutput: false, feedForward: false }),
  window: windowSize,
};

export const mistral = lineageFamily(mistralTraits, (config) => config["model_type"] === "mistral");
