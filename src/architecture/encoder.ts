import { t } from "@vscode/l10n";
import * as z from "zod";
import { rows } from "../checkpoint/views";
import { flag, layerCount, positive, size } from "./config";
import { describeStack } from "./stack";
import type { Activation, Architecture, Embedding, Head } from "./description";
import { plainEmbedding } from "./description";
import type { FamilyReader, NormKind, Sizes } from "./familyReader";
import { plainAttention } from "./familyReader";
import { everywhere } from "./sublayers";
import type { SettledScheme } from "./settleScheme";

/** The keys of config.json that BERT and its kind share, under Hugging Face's names. */
export const encoderKeys = {
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  max_position_embeddings: size.default(512),
  type_vocab_size: size.default(2),
  hidden_act: z.string().default("gelu"),
  layer_norm_eps: positive.default(1e-12),
  tie_word_embeddings: flag,
};

/** What an encoder calls the parts of a layer, as module paths within it. */
export interface EncoderModules {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly attentionNorm: string;
  readonly up: string;
  readonly down: string;
  readonly feedForwardNorm: string;
}

/** Module paths of a masked-language-model head. */
export interface MaskedHeadModules {
  readonly dense: string;
  readonly norm: string;
  readonly decoder: string;
  /** Where the bias [vocabulary] is; the decoder may hold it too, or alone. */
  readonly bias: string;
  readonly activation: Activation;
}

/** What a family's file says of an encoder of BERT's kind. */
export interface EncoderPlan extends Pick<Architecture, "heads" | "scheme"> {
  /** What the config calls the number of heads, where not `num_attention_heads`. */
  readonly headsKey?: string;
  /** Module of the stack in a model with a head: `bert`. */
  readonly module: string;
  readonly vocabulary: Sizes;
  /** Channels of the residual stream, of the embedding, and of the feed-forward. */
  readonly hidden: Sizes;
  readonly embedded: Sizes;
  readonly inner: Sizes;
  readonly places: Sizes;
  /** The token that no position is counted for: a sequence begins at the row after its id. */
  readonly padding: number | undefined;
  /** Kinds of segment; undefined where there is no table of them. */
  readonly segments: Sizes | undefined;
  /** Module path, within the stack, of what widens the embedding; undefined where nothing does. */
  readonly projection: string | undefined;
  readonly layerNumber: number;
  /** Module path of a layer within the stack, by its index. */
  readonly layer: (index: number) => string;
  readonly modules: EncoderModules;
  readonly activation: Activation;
  readonly norm: NormKind;
  readonly head: MaskedHeadModules;
  readonly isTied: boolean;
}

/** Where the original Transformer and BERT have their norms. */
export const postNorm: SettledScheme = {
  name: "post-ln",
  get source() {
    return t("the default of the family");
  },
};

/**
 * What heads of other tasks are called, and the pooler that they read: none of them plays a part in
 * the stack, nor tells tokens.
 */
const otherHeads =
  /^(?:\w+\.)?pooler\.|^(?:cls\.seq_relationship|sop_classifier|discriminator_predictions|pre_classifier|classifier|qa_outputs|sequence_summary)\./;

/**
 * Describes a stack in which every token attends to all others, with learned positions and a head that
 * tells the tokens that a mask hides (BERT, arXiv 1810.04805).
 *
 * @throws CheckpointError when a tensor is missing, of another shape, or left over
 */
export function describeEncoder(reader: FamilyReader, plan: EncoderPlan): Architecture {
  const { hidden, inner, heads, modules, norm, vocabulary, embedded } = plan;
  const { tensors } = reader;
  // Only an encoder that reads both ways: a decoder made of BERT's layers is another model.
  reader.requireOnly("is_decoder", false);
  reader.requireOnly("add_cross_attention", false);
  reader.requireOnly("position_embedding_type", "absolute");
  const hiddenSize = Object.values(hidden)[0]!;
  const headSize = reader.headSize(plan.headsKey ?? "num_attention_heads", heads, hiddenSize);
  const prefix = tensors.has(`${plan.module}.embeddings.word_embeddings.weight`)
    ? `${plan.module}.`
    : "";
  const embedding = encoderEmbedding(reader, plan, prefix);
  const head = maskedHead(reader, plan, embedding);
  const { mask_token_id: maskToken } = reader.parse(
    z.object({
      mask_token_id: z
        .int()
        .nonnegative()
        .max(Object.values(vocabulary)[0]! - 1)
        .nullish(),
    }),
  );
  // Buffers that old versions of transformers stored.
  tensors.ignore(/(^|\.)embeddings\.(position_ids|token_type_ids)$/);
  tensors.ignore(otherHeads);
  return describeStack(reader, {
    heads,
    keyValueHeads: heads,
    feedForwardSize: Object.values(inner)[0]!,
    vocabularySize: Object.values(vocabulary)[0]!,
    contextLength: Object.values(plan.places)[0]! - firstPlace(plan),
    scheme: plan.scheme,
    hidden,
    layerNumber: plan.layerNumber,
    layers: (index) => `${prefix}${plan.layer(index)}`,
    norm,
    norms: everywhere(modules.attentionNorm, modules.feedForwardNorm),
    attention: (path) => ({
      ...plainAttention(heads, headSize, {
        query: reader.linear(`${path}.${modules.query}`, hidden, hidden),
        key: reader.linear(`${path}.${modules.key}`, hidden, hidden),
        value: reader.linear(`${path}.${modules.value}`, hidden, hidden),
        output: reader.linear(`${path}.${modules.output}`, hidden, hidden),
      }),
      isBidirectional: true,
    }),
    feedForward: (path) =>
      reader.feedForward(
        { up: `${path}.${modules.up}`, down: `${path}.${modules.down}` },
        inner,
        hidden,
        plan.activation,
      ),
    embedding,
    finalNorm: undefined,
    head: head && { ...head, transform: headTransform(reader, plan, embedded) },
    objective: { kind: "masked-token", maskToken: maskToken ?? undefined },
  });
}

/** The row of the table of positions at which a sequence begins. */
function firstPlace({ padding }: EncoderPlan): number {
  return padding === undefined ? 0 : padding + 1;
}

function encoderEmbedding(reader: FamilyReader, plan: EncoderPlan, prefix: string): Embedding {
  const { tensors } = reader;
  const { embedded, segments, projection } = plan;
  const path = `${prefix}embeddings`;
  const table = (name: string, count: Sizes) =>
    tensors.take(`${path}.${name}_embeddings.weight`, count, embedded);
  return {
    ...plainEmbedding(table("word", plan.vocabulary)),
    positions: {
      table: table("position", plan.places),
      offset: firstPlace(plan),
      ...(plan.padding !== undefined && { uncounted: plan.padding }),
    },
    segment: segments && rows(table("token_type", segments), 0, 1),
    norm: reader.norm(`${path}.LayerNorm`, embedded, plan.norm),
    projection:
      projection === undefined
        ? undefined
        : reader.linear(`${prefix}${projection}`, plan.hidden, embedded),
  };
}

/** The head's decoder; undefined where the checkpoint holds no head that tells tokens. */
function maskedHead(
  reader: FamilyReader,
  { head: names, vocabulary, embedded, isTied }: EncoderPlan,
  { tokens }: Embedding,
): Head | undefined {
  const { tensors } = reader;
  if (!tensors.has(`${names.dense}.weight`)) return undefined;
  const own = `${names.decoder}.bias`;
  const isOwnOther = own !== names.bias && tensors.has(own);
  const isStatedTwice = isOwnOther && tensors.has(names.bias);
  const head = reader.head(
    `${names.decoder}.weight`,
    tokens,
    { ...vocabulary, ...embedded },
    { isTied, isExpected: true, bias: isOwnOther && !(isTied && isStatedTwice) ? own : names.bias },
  )!;
  if (!isStatedTwice) return head;
  if (isTied) return { ...head, biasCopy: tensors.take(own, vocabulary) };
  // The decoder's own bias is what is added; the other one is left over where they are not tied.
  tensors.take(names.bias, vocabulary);
  return head;
}

function headTransform(
  reader: FamilyReader,
  { head: { dense, norm, activation }, hidden, norm: kind }: EncoderPlan,
  embedded: Sizes,
): Head["transform"] {
  return {
    dense: reader.linear(dense, embedded, hidden),
    activation,
    norm: reader.norm(norm, embedded, kind),
  };
}
