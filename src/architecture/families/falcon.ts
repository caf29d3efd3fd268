import * as z from "zod";
import { alibiSlopes } from "../alibi";
import { epsilon, flag, layerCount, rotaryKeys, size, withNames } from "../config";
import { describeStack } from "../stack";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, fromFused, plainAttention } from "../familyReader";
import { partialRotary } from "../rotary";
import { parallelUnless, settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  num_kv_heads: size.nullish(),
  layer_norm_epsilon: epsilon.default(1e-5),
  num_ln_in_parallel_attn: z.int().min(1).max(2).nullish(),
  alibi: flag,
  new_decoder_architecture: flag,
  multi_query: flag,
  parallel_attn: flag,
  bias: flag,
  ffn_hidden_size: size.nullish(),
  activation: z.string().default("gelu"),
  tie_word_embeddings: flag,
  ...rotaryKeys,
});

/** What the configs of RefinedWeb call these keys. */
const otherNames = {
  n_layer: "num_hidden_layers",
  n_head: "num_attention_heads",
  n_head_kv: "num_kv_heads",
};

/**
 * Falcon (arXiv 2311.16867), as transformers has it (modeling_falcon.py): the 7B with one key-value head
 * and one norm for both parallel sublayers, the 40B with groups of heads and a norm each, and the
 * RefinedWeb models, sequential with ALiBi.
 */
export const falcon: Family = {
  name: "falcon",
  recognises: (config) =>
    ["falcon", "RefinedWeb", "RefinedWebModel"].includes(config["model_type"] as string),
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("falcon", checkpoint, withNames(config, otherNames));
    const { tensors } = reader;
    const parsed = reader.parse(schema);
    const isNew = parsed.new_decoder_architecture ?? false;
    const isSequential = !isNew && parsed.parallel_attn === false;
    const scheme = settleScheme(checkpoint, config, asked, parallelUnless(isSequential));
    const { hidden_size: hiddenSize, num_attention_heads: heads } = parsed;
    const headSize = reader.headSize("num_attention_heads", heads, hiddenSize);
    const isMultiQuery = !isNew && (parsed.multi_query ?? true);
    const keyValueHeads = isMultiQuery ? 1 : isNew ? (parsed.num_kv_heads ?? heads) : heads;
    if (heads % keyValueHeads !== 0) {
      const expectation = `it must divide num_attention_heads, ${heads}`;
      throw reader.refusal("num_kv_heads", keyValueHeads, expectation);
    }
    const { rotary, contextLength } = partialRotary(reader, parsed, headSize, 1);
    const positions =
      parsed.alibi === true
        ? { slopes: alibiSlopes(heads), roundedSlopeFactor: 1 / Math.sqrt(headSize) }
        : { rotary };
    // A checkpoint of the stack alone (FalconModel) lacks the prefix.
    const prefix = tensors.has("word_embeddings.weight") ? "" : "transformer.";
    const hidden = { hidden_size: hiddenSize };
    const feedForwardSize = parsed.ffn_hidden_size ?? 4 * hiddenSize;
    const inner = { ffn_hidden_size: feedForwardSize };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}word_embeddings.weight`, vocabulary);
    const hasBias = parsed.bias ?? false;
    tensors.ignore(/\.rotary_emb\.inv_freq$|\.self_attention\.maybe_rotary\.inv_freq$/);
    const hasNormEach = isNew && (parsed.num_ln_in_parallel_attn ?? 2) === 2;
    const first = "input_layernorm";
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads,
      hidden,
      feedForwardSize,
      vocabularySize: parsed.vocab_size,
      contextLength,
      layerNumber: parsed.num_hidden_layers,
      layers: `${prefix}h`,
      norm: { kind: "layer", epsilon: parsed.layer_norm_epsilon },
      norms: hasNormEach
        ? everywhere("ln_attn", "ln_mlp")
        : everywhere(first, scheme.name === "parallel" ? first : "post_attention_layernorm"),
      attention: (layer) => {
        const path = `${layer}.self_attention`;
        const rows = {
          "hidden_size + 2 × key and value size": hiddenSize + 2 * keyValueHeads * headSize,
        };
        const fused = reader.linear(`${path}.query_key_value`, rows, hidden, { hasBias });
        return {
          ...plainAttention(heads, headSize, {
            ...fromFused(fused, headSize, { heads, keyValueHeads, groups: keyValueHeads }),
            output: reader.linear(`${path}.dense`, hidden, hidden, { hasBias }),
          }),
          keyValueHeads,
          ...positions,
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.mlp.dense_h_to_4h`, down: `${path}.mlp.dense_4h_to_h` },
          inner,
          hidden,
          reader.activation("activation", parsed.activation),
          { hasBias },
        ),
      embedding: plainEmbedding(tokens),
      finalNorm: `${prefix}ln_f`,
      head: reader.head("lm_head.weight", tokens, vocabulary, {
        isTied: parsed.tie_word_embeddings ?? true,
        isExpected: prefix !== "",
      }),
    });
  },
};
