import * as z from "zod";
import { mptSlopes } from "../alibi";
import { epsilon, flag, layerCount, positive, size } from "../config";
import { describeStack } from "../stack";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, fromFused, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  d_model: size,
  n_heads: size,
  n_layers: layerCount,
  expansion_ratio: size.default(4),
  max_seq_len: size.default(2048),
  layer_norm_epsilon: epsilon.default(1e-5),
  no_bias: flag,
  tie_word_embeddings: flag,
  attn_config: z
    .object({
      clip_qkv: positive.nullish(),
      softmax_scale: positive.nullish(),
    })
    .nullish(),
});

/** Options of parts of the config and the only values that are supported. */
const options = {
  attn_config: {
    alibi: true,
    // Another is not heeded by transformers, but is by the code beside the released checkpoints.
    alibi_bias_max: 8,
    attn_logit_softcapping: null,
    attn_type: "multihead_attention",
    prefix_lm: false,
    qk_gn: false,
    qk_ln: false,
    rope: false,
    sliding_window_size: -1,
  },
  ffn_config: { ffn_act_fn: null, ffn_type: "mptmlp" },
} as const;

/**
 * MPT (MosaicML, 2023): ALiBi with slopes in an order of its own, queries, keys and values held within
 * a limit, and no biases, not even in norms (modeling_mpt.py of transformers).
 */
export const mpt: Family = {
  name: "mpt",
  recognises: (config) => config["model_type"] === "mpt",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("mpt", checkpoint, config);
    const { tensors } = reader;
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    reader.requireOnly("logit_scale", null);
    for (const [part, supported] of Object.entries(options)) reader.requireOnlyIn(part, supported);
    const { d_model: hiddenSize, n_heads: heads, attn_config: attention } = parsed;
    const headSize = reader.headSize("n_heads", heads, hiddenSize);
    // A checkpoint of the stack alone (MptModel) lacks the prefix.
    const prefix = tensors.has("wte.weight") ? "" : "transformer.";
    const hidden = { d_model: hiddenSize };
    const feedForwardSize = parsed.expansion_ratio * hiddenSize;
    const inner = { "expansion_ratio × d_model": feedForwardSize };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}wte.weight`, vocabulary);
    // transformers leaves them out whatever the config says.
    const hasBias = parsed.no_bias === false && tensors.has(`${prefix}blocks.0.attn.Wqkv.bias`);
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize,
      vocabularySize: parsed.vocab_size,
      contextLength: parsed.max_seq_len,
      layerNumber: parsed.n_layers,
      layers: `${prefix}blocks`,
      norm: { kind: "layer", epsilon: parsed.layer_norm_epsilon, hasBias },
      norms: everywhere("norm_1", "norm_2"),
      attention: (path) => {
        const fusedSize = { "3 × d_model": 3 * hiddenSize };
        const fused = reader.linear(`${path}.attn.Wqkv`, fusedSize, hidden, { hasBias });
        const plain = plainAttention(heads, headSize, {
          ...fromFused(fused, headSize, { heads, keyValueHeads: heads, groups: 1 }),
          output: reader.linear(`${path}.attn.out_proj`, hidden, hidden, { hasBias }),
        });
        return {
          ...plain,
          slopes: mptSlopes(heads),
          scale: attention?.softmax_scale ?? plain.scale,
          clip: attention?.clip_qkv ?? undefined,
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.ffn.up_proj`, down: `${path}.ffn.down_proj` },
          inner,
          hidden,
          "gelu",
          { hasBias },
        ),
      embedding: plainEmbedding(tokens),
      finalNorm: `${prefix}norm_f`,
      head: reader.head("lm_head.weight", tokens, vocabulary, {
        isTied: parsed.tie_word_embeddings ?? true,
        isExpected: prefix !== "",
      }),
    });
  },
};
