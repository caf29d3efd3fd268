import * as z from "zod";
import { epsilon, flag, layerCount, positive, partialRotaryKeys, size } from "../config";
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
  intermediate_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  hidden_act: z.string().default("gelu"),
  layer_norm_eps: epsilon.default(1e-5),
  tie_word_embeddings: flag,
  attention_bias: flag,
  use_parallel_residual: flag,
  ...partialRotaryKeys,
  /** The keys before transformers 5. */
  rotary_pct: positive.max(1).nullish(),
  rotary_emb_base: positive.nullish(),
});

/**
 * GPT-NeoX (arXiv 2204.06745) and Pythia (arXiv 2304.01373): parallel sublayers with a norm each, and
 * query, key and value fused head by head (modeling_gpt_neox.py of transformers).
 */
export const gptNeoX: Family = {
  name: "gpt-neox",
  recognises: (config) => config["model_type"] === "gpt_neox",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("gpt-neox", checkpoint, config);
    const { tensors } = reader;
    const parsed = reader.parse(schema);
    const isSequential = parsed.use_parallel_residual === false;
    const scheme = settleScheme(checkpoint, config, asked, parallelUnless(isSequential));
    const { hidden_size: hiddenSize, num_attention_heads: heads } = parsed;
    const headSize = reader.headSize("num_attention_heads", heads, hiddenSize);
    const stated = {
      rope_theta: parsed.rotary_emb_base ?? 10_000,
      partial_rotary_factor: parsed.rotary_pct ?? 0.25,
    };
    requireSame(reader, parsed, stated);
    const share = stated.partial_rotary_factor;
    const positions = partialRotary(reader, { ...parsed, ...stated }, headSize, share);
    // A checkpoint of the stack alone (GPTNeoXModel) lacks the prefix.
    const prefix = tensors.has("embed_in.weight") ? "" : "gpt_neox.";
    const hidden = { hidden_size: hiddenSize };
    const inner = { intermediate_size: parsed.intermediate_size };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}embed_in.weight`, vocabulary);
    const hasBias = parsed.attention_bias ?? true;
    // Causal masks and rotary frequencies that old versions of transformers stored.
    tensors.ignore(/\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/);
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize: parsed.intermediate_size,
      vocabularySize: parsed.vocab_size,
      contextLength: positions.contextLength,
      layerNumber: parsed.num_hidden_layers,
      layers: `${prefix}layers`,
      norm: { kind: "layer", epsilon: parsed.layer_norm_eps },
      norms: everywhere("input_layernorm", "post_attention_layernorm"),
      attention: (path) => {
        const fusedSize = { "3 × hidden_size": 3 * hiddenSize };
        const fused = reader.linear(`${path}.attention.query_key_value`, fusedSize, hidden, {
          hasBias,
        });
        return {
          ...plainAttention(heads, headSize, {
            ...fromFused(fused, headSize, { heads, keyValueHeads: heads, groups: heads }),
            output: reader.linear(`${path}.attention.dense`, hidden, hidden, { hasBias }),
          }),
          rotary: positions.rotary,
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.mlp.dense_h_to_4h`, down: `${path}.mlp.dense_4h_to_h` },
          inner,
          hidden,
          reader.activation("hidden_act", parsed.hidden_act),
        ),
      embedding: plainEmbedding(tokens),
      finalNorm: `${prefix}final_layer_norm`,
      // Its own name, and the one that transformers 5 gives it.
      head: reader.head(
        tensors.has("lm_head.weight") ? "lm_head.weight" : "embed_out.weight",
        tokens,
        vocabulary,
        { isTied: parsed.tie_word_embeddings ?? false, isExpected: prefix !== "" },
      ),
    });
  },
};

/**
 * Other families' keys beside GPT-NeoX's own: some versions of transformers wrote both, and they differ
 * in which counts.
 *
 * @throws CheckpointError when one states something else than `own`
 */
function requireSame(
  reader: FamilyReader,
  parsed: Pick<z.infer<typeof schema>, keyof typeof ownNames>,
  own: Readonly<Record<keyof typeof ownNames, number>>,
): void {
  for (const key of ["rope_theta", "partial_rotary_factor"] as const) {
    const value = parsed[key];
    if (value === undefined || value === null || value === own[key]) continue;
    const expectation = `"${ownNames[key]}" is ${own[key]}, stated or by default, and versions of transformers differ in which counts`;
    throw reader.refusal(key, value, expectation);
  }
}

const ownNames = { rope_theta: "rotary_emb_base", partial_rotary_factor: "rotary_pct" } as const;
