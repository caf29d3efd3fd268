import { bertFamily } from "./bert";

/**
 * RoBERTa (arXiv 1907.11692), XLM-R and CamemBERT: BERT whose positions are counted from the row after
 * the padding token's (modeling_roberta.py of transformers).
 */
export const roberta = bertFamily({
  name: "roberta",
  modelTypes: ["roberta", "xlm-roberta", "camembert"],
  module: "roberta",
  head: {
    dense: "lm_head.dense",
    norm: "lm_head.layer_norm",
    decoder: "lm_head.decoder",
    bias: "lm_head.bias",
    // RobertaLMHead has it whatever the layers have.
    activation: "gelu",
  },
  padding: ({ pad_token_id: stated }) => (typeof stated === "number" ? stated : 1),
});
