import { gpt2Family } from "./gpt2";

/**
 * GPT-BigCode (arXiv 2301.03988), SantaCoder and StarCoder: one key-value head for all queries, or as
 * many as there are queries, then fused head by head (modeling_gpt_bigcode.py of transformers).
 */
export const gptBigCode = gpt2Family("gpt_bigcode", "gelu_pytorch_tanh", (config, heads) =>
  (config["multi_query"] ?? true) === true ? { keyValueHeads: 1 } : { fusedGroups: heads },
);
