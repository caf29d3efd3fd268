import * as z from "zod";
import { flag, layerCount, size } from "../config";
import { describeEncoder, postNorm } from "../encoder";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { settleScheme } from "../settleScheme";

const schema = z.object({
  vocab_size: size,
  dim: size,
  hidden_dim: size,
  n_layers: layerCount,
  n_heads: size,
  max_position_embeddings: size.default(512),
  activation: z.string().default("gelu"),
  tie_word_embeddings: flag,
});

/**
 * DistilBERT (arXiv 1910.01108): BERT without segments, under names of its own
 * (modeling_distilbert.py of transformers). Fixed sinusoidal positions are stored like learned ones.
 */
export const distilbert: Family = {
  name: "distilbert",
  recognises: (config) => config["model_type"] === "distilbert",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("distilbert", checkpoint, config);
    const parsed = reader.parse(schema);
    const activation = reader.activation("activation", parsed.activation);
    const hidden = { dim: parsed.dim };
    return describeEncoder(reader, {
      scheme: settleScheme(checkpoint, config, asked, postNorm),
      module: "distilbert",
      heads: parsed.n_heads,
      headsKey: "n_heads",
      vocabulary: { vocab_size: parsed.vocab_size },
      hidden,
      embedded: hidden,
      inner: { hidden_dim: parsed.hidden_dim },
      places: { max_position_embeddings: parsed.max_position_embeddings },
      padding: undefined,
      segments: undefined,
      projection: undefined,
      layerNumber: parsed.n_layers,
      layer: (index) => `transformer.layer.${index}`,
      modules: {
        query: "attention.q_lin",
        key: "attention.k_lin",
        value: "attention.v_lin",
        output: "attention.out_lin",
        attentionNorm: "sa_layer_norm",
        up: "ffn.lin1",
        down: "ffn.lin2",
        feedForwardNorm: "output_layer_norm",
      },
      activation,
      // Not a key of its config.
      norm: { kind: "layer", epsilon: 1e-12 },
      head: {
        dense: "vocab_transform",
        norm: "vocab_layer_norm",
        decoder: "vocab_projector",
        bias: "vocab_projector.bias",
        activation,
      },
      isTied: parsed.tie_word_embeddings ?? true,
    });
  },
};
