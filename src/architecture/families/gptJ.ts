import * as z from "zod";
import { epsilon, flag, size } from "../config";
import { describeStack } from "../stack";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, plainAttention } from "../familyReader";
import { gpt2Sizes } from "../gpt2Lineage";
import { rotary } from "../rotary";
import { parallelUnless, settleScheme } from "../settleScheme";
import { everywhere } from "../sublayers";

const schema = z.object({
  vocab_size: size,
  ...gpt2Sizes,
  n_positions: size.default(2048),
  n_inner: size.nullish(),
  rotary_dim: size.default(64),
  activation_function: z.string().default("gelu_new"),
  layer_norm_epsilon: epsilon.default(1e-5),
  tie_word_embeddings: flag,
});

/**
 * GPT-J (Wang and Komatsuzaki, 2021): parallel sublayers that share a norm, neighbouring channels
 * rotated together, and a head with a bias (modeling_gptj.py of transformers).
 */
export const gptJ: Family = {
  name: "gpt-j",
  recognises: (config) => config["model_type"] === "gptj",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("gpt-j", checkpoint, config);
    const { tensors } = reader;
    const scheme = settleScheme(checkpoint, config, asked, parallelUnless(false));
    const parsed = reader.parse(schema);
    const { n_embd: hiddenSize, n_head: heads, rotary_dim: rotated } = parsed;
    const headSize = reader.headSize("n_head", heads, hiddenSize);
    if (rotated % 2 !== 0 || rotated > headSize) {
      const expectation = `expected an even number up to a head's ${headSize} channels`;
      throw reader.refusal("rotary_dim", rotated, expectation);
    }
    // A checkpoint of the stack alone (GPTJModel) lacks the prefix.
    const prefix = tensors.has("wte.weight") ? "" : "transformer.";
    const hidden = { n_embd: hiddenSize };
    const feedForwardSize = parsed.n_inner ?? 4 * hiddenSize;
    const inner = { n_inner: feedForwardSize };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}wte.weight`, vocabulary);
    // Causal masks that old versions of transformers stored.
    tensors.ignore(/\.attn\.(bias|masked_bias|embed_positions)$/);
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize,
      vocabularySize: parsed.vocab_size,
      contextLength: parsed.n_positions,
      layerNumber: parsed.n_layer,
      layers: `${prefix}h`,
      norm: { kind: "layer", epsilon: parsed.layer_norm_epsilon },
      norms: everywhere("ln_1", "ln_1"),
      attention: (path) => {
        const projection = (name: string) =>
          reader.linear(`${path}.attn.${name}`, hidden, hidden, { hasBias: false });
        return {
          ...plainAttention(heads, headSize, {
            query: projection("q_proj"),
            key: projection("k_proj"),
            value: projection("v_proj"),
            output: projection("out_proj"),
          }),
          rotary: rotary(rotated, 10_000, { type: "default" }, "neighbours"),
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.mlp.fc_in`, down: `${path}.mlp.fc_out` },
          inner,
          hidden,
          reader.activation("activation_function", parsed.activation_function),
        ),
      embedding: plainEmbedding(tokens),
      finalNorm: `${prefix}ln_f`,
      head: reader.head("lm_head.weight", tokens, vocabulary, {
        isTied: parsed.tie_word_embeddings ?? false,
        isExpected: prefix !== "",
        bias: "lm_head.bias",
      }),
    });
  },
};
