import * as z from "zod";
import { alibiSlopes } from "../alibi";
import { epsilon, flag, layerCount, size, withNames } from "../config";
import { describeStack } from "../stack";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, fromFused, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  hidden_size: size,
  n_head: size,
  n_layer: layerCount,
  seq_length: size.nullish(),
  layer_norm_epsilon: epsilon.default(1e-5),
  slow_but_exact: flag,
  pretraining_tp: size.nullish(),
  tie_word_embeddings: flag,
});

/** What some configs call these keys. */
const otherNames = {
  n_embed: "hidden_size",
  num_attention_heads: "n_head",
  num_hidden_layers: "n_layer",
};

/**
 * BLOOM (arXiv 2211.05100): ALiBi, a norm of the embedding, and query, key and value fused head by head
 * (modeling_bloom.py of transformers).
 */
export const bloom: Family = {
  name: "bloom",
  recognises: (config) => config["model_type"] === "bloom",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("bloom", checkpoint, withNames(config, otherNames));
    const { tensors } = reader;
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    reader.requireOnly("apply_residual_connection_post_layernorm", false);
    if (parsed.slow_but_exact === true && (parsed.pretraining_tp ?? 1) > 1) {
      // Where it adds up the slices of output linears, modeling_bloom.py leaves out their biases.
      throw reader.refusal(
        "slow_but_exact",
        true,
        "transformers then leaves out biases; false is supported",
      );
    }
    const { hidden_size: hiddenSize, n_head: heads } = parsed;
    const headSize = reader.headSize("n_head", heads, hiddenSize);
    // A checkpoint of the stack alone (BloomModel), as the released ones are, lacks the prefix.
    const prefix = tensors.has("word_embeddings.weight") ? "" : "transformer.";
    const hidden = { hidden_size: hiddenSize };
    const inner = { "4 × hidden_size": 4 * hiddenSize };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}word_embeddings.weight`, vocabulary);
    const norm = { kind: "layer", epsilon: parsed.layer_norm_epsilon } as const;
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize: 4 * hiddenSize,
      vocabularySize: parsed.vocab_size,
      contextLength: parsed.seq_length ?? undefined,
      layerNumber: parsed.n_layer,
      layers: `${prefix}h`,
      norm,
      norms: everywhere("input_layernorm", "post_attention_layernorm"),
      attention: (layer) => {
        const path = `${layer}.self_attention`;
        const fusedSize = { "3 × hidden_size": 3 * hiddenSize };
        const fused = reader.linear(`${path}.query_key_value`, fusedSize, hidden);
        return {
          ...plainAttention(heads, headSize, {
            ...fromFused(fused, headSize, { heads, keyValueHeads: heads, groups: heads }),
            output: reader.linear(`${path}.dense`, hidden, hidden),
          }),
          slopes: alibiSlopes(heads),
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.mlp.dense_h_to_4h`, down: `${path}.mlp.dense_4h_to_h` },
          inner,
          hidden,
          "gelu_tanh",
        ),
      embedding: {
        ...plainEmbedding(tokens),
        norm: reader.norm(`${prefix}word_embeddings_layernorm`, hidden, norm),
      },
      finalNorm: `${prefix}ln_f`,
      head: reader.head("lm_head.weight", tokens, vocabulary, {
        isTied: parsed.tie_word_embeddings ?? true,
        isExpected: prefix !== "",
      }),
    });
  },
};
