import type * as z from "zod";
import { layerCount, partialRotaryKeys, size, flag } from "./config";
import { describeStack } from "./stack";
import type { Architecture, Attention, FeedForward } from "./description";
import { plainEmbedding } from "./description";
import type { FamilyReader, NormKind, Sizes } from "./familyReader";
import { fromFused, plainAttention } from "./familyReader";
import { partialRotary } from "./rotary";
import type { LayerNames } from "./sublayers";

/** The keys of config.json that these families share, under Hugging Face's names. */
export const rotaryDecoderKeys = {
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  tie_word_embeddings: flag,
  ...partialRotaryKeys,
};

type Keys = z.infer<z.ZodObject<typeof rotaryDecoderKeys>>;

/** In what families differ that name embedding, layers and attention as Llama does. */
export interface RotaryDecoderTraits {
  readonly scheme: Architecture["scheme"];
  /** Share of a head's channels that is rotated where the config does not say. */
  readonly defaultShare: number;
  readonly norm: NormKind;
  readonly norms: LayerNames;
  readonly finalNorm: string;
  /** Query, key and value: whether they are one linear, `qkv_proj`, and have biases. */
  readonly projections: { readonly isFused: boolean; readonly hasBias: boolean };
  readonly output: { readonly name: string; readonly hasBias: boolean };
  /** Latest tokens that a token attends to; undefined: all before it. */
  readonly window: number | undefined;
  /** Further parts of the attention at a path. */
  readonly attention?: (
    path: string,
    sizes: { readonly heads: number; readonly keyValueHeads: number; readonly headSize: number },
  ) => Partial<Attention>;
  readonly feedForward: (path: string, hidden: Sizes, inner: Sizes) => FeedForward;
  readonly isTied: boolean;
  readonly hasHeadBias: boolean;
}

/**
 * Describes a decoder with rotary positions and Llama's names of embedding, layers and attention.
 *
 * @throws CheckpointError when the config and the tensors contradict each other
 */
export function describeRotaryDecoder(
  reader: FamilyReader,
  parsed: Keys,
  traits: RotaryDecoderTraits,
): Architecture {
  const { tensors } = reader;
  const { hidden_size: hiddenSize, num_attention_heads: heads } = parsed;
  const keyValueHeads = parsed.num_key_value_heads ?? heads;
  const headSize = parsed.head_dim ?? reader.headSize("num_attention_heads", heads, hiddenSize);
  if (heads % keyValueHeads !== 0) {
    const expectation = `it must divide num_attention_heads, ${heads}`;
    throw reader.refusal("num_key_value_heads", keyValueHeads, expectation);
  }
  const positions = partialRotary(reader, parsed, headSize, traits.defaultShare);
  // A checkpoint of the stack alone lacks the prefix that the model with a head has.
  const prefix = tensors.has("embed_tokens.weight") ? "" : "model.";
  const hidden = { hidden_size: hiddenSize };
  const queryRows = { "num_attention_heads × head size": heads * headSize };
  const keyRows = { "num_key_value_heads × head size": keyValueHeads * headSize };
  const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
  const tokens = tensors.take(`${prefix}embed_tokens.weight`, vocabulary);
  const { isFused, hasBias } = traits.projections;
  const projections = (path: string): Pick<Attention, "query" | "key" | "value"> => {
    if (!isFused) {
      return {
        query: reader.linear(`${path}.q_proj`, queryRows, hidden, { hasBias }),
        key: reader.linear(`${path}.k_proj`, keyRows, hidden, { hasBias }),
        value: reader.linear(`${path}.v_proj`, keyRows, hidden, { hasBias }),
      };
    }
    const rows = {
      "query size + 2 × key and value size": (heads + 2 * keyValueHeads) * headSize,
    };
    const fused = reader.linear(`${path}.qkv_proj`, rows, hidden, { hasBias });
    return fromFused(fused, headSize, { heads, keyValueHeads, groups: 1 });
  };
  // Stored by old versions of transformers; recomputed from the config by all of them.
  tensors.ignore(/\.rotary_emb\.inv_freq$/);
  return describeStack(reader, {
    scheme: traits.scheme,
    heads,
    keyValueHeads,
    hidden,
    feedForwardSize: parsed.intermediate_size,
    vocabularySize: parsed.vocab_size,
    contextLength: positions.contextLength,
    layerNumber: parsed.num_hidden_layers,
    layers: `${prefix}layers`,
    norm: traits.norm,
    norms: traits.norms,
    attention: (layer) => {
      const path = `${layer}.self_attn`;
      const { name, hasBias } = traits.output;
      return {
        ...plainAttention(heads, headSize, {
          ...projections(path),
          output: reader.linear(`${path}.${name}`, hidden, queryRows, { hasBias }),
        }),
        keyValueHeads,
        rotary: positions.rotary,
        window: traits.window,
        ...traits.attention?.(path, { heads, keyValueHeads, headSize }),
      };
    },
    feedForward: (path) =>
      traits.feedForward(`${path}.mlp`, hidden, { intermediate_size: parsed.intermediate_size }),
    embedding: plainEmbedding(tokens),
    finalNorm: `${prefix}${traits.finalNorm}`,
    head: reader.head("lm_head.weight", tokens, vocabulary, {
      isTied: parsed.tie_word_embeddings ?? traits.isTied,
      isExpected: prefix !== "",
      ...(traits.hasHeadBias && { bias: "lm_head.bias" }),
    }),
  });
}
