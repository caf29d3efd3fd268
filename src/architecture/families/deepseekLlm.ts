import { lineageFamily } from "../llamaLineage";
import { llamaTraits } from "./llama";

/**
 * DeepSeek-LLM 7B (arXiv 2401.02954): Llama's architecture, saved as one; its vocabulary of 102,400
 * tokens tells it from the others. The 67B model has grouped heads and is recognised likewise.
 */
export const deepseekLlm = lineageFamily(
  { ...llamaTraits, family: "deepseek-llm" },
  (config) => config["model_type"] === "llama" && config["vocab_size"] === 102_400,
);
