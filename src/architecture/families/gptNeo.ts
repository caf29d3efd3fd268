import * as z from "zod";
import { epsilon, flag, layerCount, size, withNames } from "../config";
import { plainEmbedding } from "../description";
import type { Family } from "../family";
import { FamilyReader, plainAttention } from "../familyReader";
import { settleScheme } from "../settleScheme";
import { describeStack } from "../stack";
import { everywhere } from "../sublayers";

const kind = z.enum(["global", "local"]);
type Kind = z.infer<typeof kind>;
type Turns = readonly [kinds: readonly Kind[], times: number];

const schema = z.object({
  vocab_size: size,
  hidden_size: size,
  num_layers: layerCount,
  num_heads: size,
  intermediate_size: size.nullish(),
  max_position_embeddings: size.default(2048),
  /** Kinds of layers that take turns, each list so many times. */
  attention_types: z
    .array(z.tuple([z.array(kind), layerCount]))
    .nullish()
    .transform((stated): readonly Turns[] => stated ?? [[["global", "local"], 12]]),
  window_size: size.default(256),
  activation_function: z.string().default("gelu_new"),
  layer_norm_epsilon: epsilon.default(1e-5),
  tie_word_embeddings: flag,
});

const otherNames = { num_hidden_layers: "num_layers", num_attention_heads: "num_heads" };

/**
 * GPT-Neo (Black et al., 2021) and TinyStories (arXiv 2305.07759): GPT-2 with scores that are not scaled,
 * and a window in every second layer (modeling_gpt_neo.py of transformers).
 */
export const gptNeo: Family = {
  name: "gpt-neo",
  recognises: (config) => config["model_type"] === "gpt_neo",
  describe: (checkpoint, config, asked) => {
    const reader = new FamilyReader("gpt-neo", checkpoint, withNames(config, otherNames));
    const { tensors } = reader;
    const scheme = settleScheme(checkpoint, config, asked);
    const parsed = reader.parse(schema);
    const { hidden_size: hiddenSize, num_heads: heads, num_layers: layerNumber } = parsed;
    const headSize = reader.headSize("num_heads", heads, hiddenSize);
    const { attention_types: types } = parsed;
    const told = types.reduce((sum, [turns, times]) => sum + turns.length * times, 0);
    if (told !== layerNumber) {
      const expectation = `it tells of ${told} layers, and num_layers is ${layerNumber}`;
      throw reader.refusal("attention_types", types, expectation);
    }
    const kinds = types.flatMap(([turns, times]) => Array<typeof turns>(times).fill(turns).flat());
    // A checkpoint of the stack alone (GPTNeoModel) lacks the prefix.
    const prefix = tensors.has("wte.weight") ? "" : "transformer.";
    const hidden = { hidden_size: hiddenSize };
    const feedForwardSize = parsed.intermediate_size ?? 4 * hiddenSize;
    const inner = { intermediate_size: feedForwardSize };
    const places = { max_position_embeddings: parsed.max_position_embeddings };
    const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
    const tokens = tensors.take(`${prefix}wte.weight`, vocabulary);
    const table = tensors.take(`${prefix}wpe.weight`, places, hidden);
    // Causal masks that old versions of transformers stored.
    tensors.ignore(/\.attn\.attention\.(bias|masked_bias)$/);
    return describeStack(reader, {
      scheme,
      heads,
      keyValueHeads: heads,
      hidden,
      feedForwardSize,
      vocabularySize: parsed.vocab_size,
      contextLength: parsed.max_position_embeddings,
      layerNumber,
      layers: `${prefix}h`,
      norm: { kind: "layer", epsilon: parsed.layer_norm_epsilon },
      norms: everywhere("ln_1", "ln_2"),
      attention: (path, index) => {
        const projection = (name: string, hasBias: boolean) =>
          reader.linear(`${path}.attn.attention.${name}`, hidden, hidden, { hasBias });
        return {
          ...plainAttention(heads, headSize, {
            query: projection("q_proj", false),
            key: projection("k_proj", false),
            value: projection("v_proj", false),
            output: projection("out_proj", true),
          }),
          scale: 1,
          window: kinds[index] === "local" ? parsed.window_size : undefined,
        };
      },
      feedForward: (path) =>
        reader.feedForward(
          { up: `${path}.mlp.c_fc`, down: `${path}.mlp.c_proj` },
          inner,
          hidden,
          reader.activation("activation_function", parsed.activation_function),
        ),
      embedding: { ...plainEmbedding(tokens), positions: { table, offset: 0 } },
      finalNorm: `${prefix}ln_f`,
      head: reader.head("lm_head.weight", tokens, vocabulary, {
        isTied: parsed.tie_word_embeddings ?? true,
        isExpected: prefix !== "",
      }),
    });
  },
};
