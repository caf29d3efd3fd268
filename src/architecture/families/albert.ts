import * as z from "zod";
import { size } from "../config";
import { describeEncoder, encoderKeys, postNorm } from "../encoder";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { settleScheme } from "../settleScheme";

const schema = z.object({
  ...encoderKeys,
  hidden_act: z.string().default("gelu_new"),
  embedding_size: size.default(128),
  num_hidden_groups: size.default(1),
  inner_group_num: size.default(1),
});

/**
 * ALBERT (arXiv 1909.11942): a narrow embedding that is widened, and layers that share their weights:
 * each of `num_hidden_groups` groups is run several times over (modeling_albert.py of transformers).
 */
export const albert: Family = {
  name: "albert",
  recognises: (config) => config["model_type"] === "albert",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("albert", checkpoint, config);
    const parsed = reader.parse(schema);
    const { num_hidden_layers: runs, num_hidden_groups: groups, inner_group_num: inner } = parsed;
    if (groups > runs) {
      throw reader.refusal("num_hidden_groups", groups, `at most num_hidden_layers, ${runs}`);
    }
    const activation = reader.activation("hidden_act", parsed.hidden_act);
    return describeEncoder(reader, {
      scheme: settleScheme(checkpoint, config, asked, postNorm),
      module: "albert",
      heads: parsed.num_attention_heads,
      vocabulary: { vocab_size: parsed.vocab_size },
      hidden: { hidden_size: parsed.hidden_size },
      embedded: { embedding_size: parsed.embedding_size },
      inner: { intermediate_size: parsed.intermediate_size },
      places: { max_position_embeddings: parsed.max_position_embeddings },
      padding: undefined,
      segments: { type_vocab_size: parsed.type_vocab_size },
      projection: "encoder.embedding_hidden_mapping_in",
      // Each run of a group is a run of all its inner layers.
      layerNumber: runs * inner,
      layer: (index) => {
        const group = Math.floor(Math.floor(index / inner) / (runs / groups));
        return `encoder.albert_layer_groups.${group}.albert_layers.${index % inner}`;
      },
      modules: {
        query: "attention.query",
        key: "attention.key",
        value: "attention.value",
        output: "attention.dense",
        attentionNorm: "attention.LayerNorm",
        up: "ffn",
        down: "ffn_output",
        feedForwardNorm: "full_layer_layer_norm",
      },
      activation,
      norm: { kind: "layer", epsilon: parsed.layer_norm_eps },
      head: {
        dense: "predictions.dense",
        norm: "predictions.LayerNorm",
        decoder: "predictions.decoder",
        bias: "predictions.bias",
        activation,
      },
      isTied: parsed.tie_word_embeddings ?? true,
    });
  },
};
