import * as z from "zod";
import { epsilon, flag, layerCount, positive, size } from "../config";
import { describeStack } from "../stack";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, fromFused, plainAttention } from "../familyReader";
import { partialRotary } from "../rotary";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  intermediate_size: size,
  kv_channels: size.default(128),
  seq_length: size.nullish(),
  max_position_embeddings: size.default(8192),
  layer_norm_epsilon: epsilon.default(1e-6),
  rotary_pct: positive.max(1).default(1),
  rotary_emb_base: positive.default(10_000),
  scale_attn_weights: flag,
  no_bias: flag,
  tie_word_embeddings: flag,
});

/**
 * Qwen (arXiv 2309.16609), as it was before Qwen1.5: GPT-2's names around Llama's layers, biases on
 * query, key and value, and half of the stated width for gate and up each (modeling_qwen.py beside the
 * released checkpoints).
 */
export const qwen: Family = {
  name: "qwen",
  recognises: (config) => config["model_type"] === "qwen",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("qwen", checkpoint, config);
    const { tensors } = reader;
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    const { hidden_size: hiddenSize, num_attention_heads: heads, kv_channels: headSize } = parsed;
    if (parsed.intermediate_size % 2 !== 0) {
      const expectation = "expected an even number, half of it for gate and up each";
      throw reader.refusal("intermediate_size", parsed.intermediate_size, expectation);
    }
    const { rotary } = partialRotary(
      reader,
      { rope_theta: parsed.rotary_emb_base },
      headSize,
      parsed.rotary_pct,
    );
    // A checkpoint of the stack alone lacks the prefix.
    const prefix = tensors.has("wte.weight") ? "" : "transformer.";
    const feedForwardSize = parsed.intermediate_size / 2;
    const hidden = { hidden_size: hiddenSize };
    const inner = { "intermediate_size / 2": feedForwardSize };
    const all = { "num_attention_heads × kv_channels": heads * headSize };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}wte.weight`, vocabulary);
    const hasBias = parsed.no_bias === false;
    tensors.ignore(/\.rotary_emb\.inv_freq$|\.attn\.masked_bias$/);
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize,
      vocabularySize: parsed.vocab_size,
      // Beyond it positions are stretched and scores scaled, where the config asks for that.
      contextLength: parsed.seq_length ?? parsed.max_position_embeddings,
      layerNumber: parsed.num_hidden_layers,
      layers: `${prefix}h`,
      norm: { kind: "rms", epsilon: parsed.layer_norm_epsilon },
      norms: everywhere("ln_1", "ln_2"),
      attention: (path) => {
        const fusedSize = { "3 × num_attention_heads × kv_channels": 3 * heads * headSize };
        const fused = reader.linear(`${path}.attn.c_attn`, fusedSize, hidden);
        const attention = plainAttention(heads, headSize, {
          ...fromFused(fused, headSize, { heads, keyValueHeads: heads, groups: 1 }),
          output: reader.linear(`${path}.attn.c_proj`, hidden, all, { hasBias }),
        });
        return {
          ...attention,
          rotary,
          scale: parsed.scale_attn_weights === false ? 1 : attention.scale,
        };
      },
      feedForward: (path) => ({
        gate: reader.linear(`${path}.mlp.w2`, inner, hidden, { hasBias }),
        up: reader.linear(`${path}.mlp.w1`, inner, hidden, { hasBias }),
        down: reader.linear(`${path}.mlp.c_proj`, hidden, inner, { hasBias }),
        activation: "silu",
      }),
      embedding: plainEmbedding(tokens),
      finalNorm: `${prefix}ln_f`,
      head: reader.head("lm_head.weight", tokens, vocabulary, {
        isTied: parsed.tie_word_embeddings ?? false,
        isExpected: prefix !== "",
      }),
    });
  },
};
