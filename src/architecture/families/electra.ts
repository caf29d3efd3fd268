import { bertFamily } from "./bert";

/**
 * ELECTRA (arXiv 2003.10555): the generator tells masked tokens; the discriminator tells replaced
 * tokens from original ones (modeling_electra.py of transformers).
 */
export const electra = bertFamily({
  name: "electra",
  modelTypes: ["electra"],
  module: "electra",
  embeddingSize: ({ embedding_size: size }) => size ?? 128,
  head: {
    dense: "generator_predictions.dense",
    norm: "generator_predictions.LayerNorm",
    decoder: "generator_lm_head",
    bias: "generator_lm_head.bias",
    // ElectraGeneratorPredictions has it whatever the layers have.
    activation: "gelu",
  },
  otherHead: {
    tensors: /^discriminator_predictions\./,
    reason:
      "the checkpoint is ELECTRA's discriminator, whose head tells replaced tokens from original ones and predicts no token",
  },
});
