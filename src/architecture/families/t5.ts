import * as z from "zod";
import { epsilon, layerCount, size } from "../config";
import { describeStack } from "../stack";
import type { Architecture, Attention } from "../description";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  d_model: size,
  d_kv: size,
  d_ff: size,
  num_layers: layerCount,
  num_heads: size,
  relative_attention_num_buckets: size.default(32),
  relative_attention_max_distance: size.default(128),
  layer_norm_epsilon: epsilon.default(1e-6),
  feed_forward_proj: z.string().default("relu"),
});

/**
 * The encoder of T5 (arXiv 1910.10683) and its kin: RMS norms, no biases, scores that are not scaled,
 * and positions told by one table of relative biases that all layers share (modeling_t5.py of
 * transformers). Each layer of the decoder also reads the encoder's output, so it is no layer of one
 * residual stream: where a checkpoint holds both, the encoder is measured.
 */
export const t5Encoder: Family = {
  name: "t5",
  recognises: (config) => config["model_type"] === "t5",
  describe: (checkpoint, config, asked): Architecture => {
    const reader = new FamilyReader("t5", checkpoint, config);
    const { tensors } = reader;
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    const { num_heads: heads, d_kv: headSize } = parsed;
    const buckets = parsed.relative_attention_num_buckets;
    const maximumDistance = parsed.relative_attention_max_distance;
    if (buckets % 4 !== 0) {
      throw reader.refusal("relative_attention_num_buckets", buckets, "expected a multiple of 4");
    }
    if (maximumDistance <= buckets / 4) {
      throw reader.refusal(
        "relative_attention_max_distance",
        maximumDistance,
        `it must exceed a quarter of relative_attention_num_buckets, ${buckets / 4}`,
      );
    }
    const form = /^(gated-)?(\w+)$/.exec(parsed.feed_forward_proj);
    const isGated = form?.[1] !== undefined;
    // Released configs say gated-gelu and mean its approximation.
    const name = isGated && form[2] === "gelu" ? "gelu_new" : (form?.[2] ?? "");
    const activation = reader.activation("feed_forward_proj", name);
    const hidden = { d_model: parsed.d_model };
    const inner = { d_ff: parsed.d_ff };
    const queries = { "num_heads × d_kv": heads * headSize };
    const noBias = { hasBias: false };
    const tokens = tensors.take(
      tensors.has("shared.weight") ? "shared.weight" : "encoder.embed_tokens.weight",
      { vocab_size: parsed.vocab_size },
      hidden,
    );
    const relativeBias: Attention["relativeBias"] = {
      table: tensors.take(
        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
        { relative_attention_num_buckets: buckets },
        { num_heads: heads },
      ),
      maximumDistance,
    };
    const decoderLayers = new Set(
      tensors.named(/^decoder\.block\.(\d+)\./).map(([, index]) => index),
    ).size;
    // The embedding again, and the decoder with its head.
    tensors.ignore(/^(encoder|decoder)\.embed_tokens\.weight$|^decoder\.|^lm_head\.weight$/);
    const described = describeStack(reader, {
      heads,
      keyValueHeads: heads,
      feedForwardSize: parsed.d_ff,
      vocabularySize: parsed.vocab_size,
      contextLength: undefined,
      scheme,
      hidden,
      layerNumber: parsed.num_layers,
      layers: "encoder.block",
      norm: { kind: "rms", epsilon: parsed.layer_norm_epsilon },
      norms: everywhere("layer.0.layer_norm", "layer.1.layer_norm"),
      attention: (path) => {
        const module = `${path}.layer.0.SelfAttention`;
        return {
          ...plainAttention(heads, headSize, {
            query: reader.linear(`${module}.q`, queries, hidden, noBias),
            key: reader.linear(`${module}.k`, queries, hidden, noBias),
            value: reader.linear(`${module}.v`, queries, hidden, noBias),
            output: reader.linear(`${module}.o`, hidden, queries, noBias),
          }),
          scale: 1,
          isBidirectional: true,
          relativeBias,
        };
      },
      feedForward: (path) => {
        const module = `${path}.layer.1.DenseReluDense`;
        return {
          gate: isGated ? reader.linear(`${module}.wi_0`, inner, hidden, noBias) : undefined,
          up: reader.linear(`${module}.${isGated ? "wi_1" : "wi"}`, inner, hidden, noBias),
          down: reader.linear(`${module}.wo`, hidden, inner, noBias),
          activation,
        };
      },
      embedding: plainEmbedding(tokens),
      finalNorm: "encoder.final_layer_norm",
      head: undefined,
      objective: { kind: "masked-token", maskToken: undefined },
    });
    if (decoderLayers === 0) {
      const whyNoHead = "the checkpoint is an encoder without a head that tells tokens";
      return { ...described, whyNoHead };
    }
    return {
      ...described,
      whyNoHead:
        "only the encoder is measured, which tells no tokens: the decoder's layers also read the encoder's output, which is not supported",
      notices: [
        `Measured are the ${parsed.num_layers} layers of the encoder alone. The ${decoderLayers} layers of the decoder are not: each of them attends to the encoder's output too, which is not supported, and without them there is no loss.`,
      ],
    };
  },
};
