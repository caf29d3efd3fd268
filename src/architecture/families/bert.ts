import * as z from "zod";
import type { EncoderPlan } from "../encoder";
import { describeEncoder, encoderKeys, postNorm } from "../encoder";
import type { Family } from "../family";
import { FamilyReader } from "../familyReader";
import { settleScheme } from "../settleScheme";

const schema = z.object({ ...encoderKeys, embedding_size: z.int().min(1).nullish() });
type BertConfig = z.infer<typeof schema>;

/** In what a family with BERT's layers differs from BERT. */
export interface BertTraits {
  readonly name: string;
  readonly modelTypes: readonly string[];
  readonly module: string;
  /** Where the head is; its activation is the config's unless stated. */
  readonly head: Omit<EncoderPlan["head"], "activation"> & Partial<EncoderPlan["head"]>;
  /** The token that no position is counted for; left out: all are counted. */
  readonly padding?: (config: Readonly<Record<string, unknown>>) => number;
  /** Channels of the embedding, where they can be others than the hidden size. */
  readonly embeddingSize?: (config: BertConfig) => number;
  /** Why a checkpoint with one of these tensors has no token loss. */
  readonly otherHead?: { readonly tensors: RegExp; readonly reason: string };
}

/** BERT (arXiv 1810.04805): modeling_bert.py of transformers. */
export const bert = bertFamily({
  name: "bert",
  modelTypes: ["bert"],
  module: "bert",
  head: {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    decoder: "cls.predictions.decoder",
    bias: "cls.predictions.bias",
  },
});

/** A family with BERT's config keys and the names of its layers. */
export function bertFamily(traits: BertTraits): Family {
  const { name, modelTypes, module, padding } = traits;
  return {
    name,
    recognises: (config) => modelTypes.some((type) => type === config["model_type"]),
    describe: (checkpoint, config, asked) => {
      const reader = new FamilyReader(name, checkpoint, config);
      const parsed = reader.parse(schema);
      const { hidden_size: hiddenSize } = parsed;
      const activation = reader.activation("hidden_act", parsed.hidden_act);
      const hidden = { hidden_size: hiddenSize };
      const embeddingSize = traits.embeddingSize?.(parsed) ?? hiddenSize;
      const isProjected = embeddingSize !== hiddenSize;
      const described = describeEncoder(reader, {
        scheme: settleScheme(checkpoint, config, asked, postNorm),
        module,
        heads: parsed.num_attention_heads,
        vocabulary: { vocab_size: parsed.vocab_size },
        hidden,
        embedded: isProjected ? { embedding_size: embeddingSize } : hidden,
        inner: { intermediate_size: parsed.intermediate_size },
        places: { max_position_embeddings: parsed.max_position_embeddings },
        padding: padding?.(config.value),
        segments: { type_vocab_size: parsed.type_vocab_size },
        projection: isProjected ? "embeddings_project" : undefined,
        layerNumber: parsed.num_hidden_layers,
        layer: (index) => `encoder.layer.${index}`,
        modules: {
          query: "attention.self.query",
          key: "attention.self.key",
          value: "attention.self.value",
          output: "attention.output.dense",
          attentionNorm: "attention.output.LayerNorm",
          up: "intermediate.dense",
          down: "output.dense",
          feedForwardNorm: "output.LayerNorm",
        },
        activation,
        norm: { kind: "layer", epsilon: parsed.layer_norm_eps },
        head: { activation, ...traits.head },
        isTied: parsed.tie_word_embeddings ?? true,
      });
      const { otherHead } = traits;
      const hasOther =
        otherHead &&
        [...checkpoint.tensors.keys()].some((tensor) => otherHead.tensors.test(tensor));
      return described.head === undefined && hasOther
        ? { ...described, whyNoHead: otherHead.reason }
        : described;
    },
  };
}
