import type { LineageConfig } from "./config";
import { lineageSchema, rotaryOf } from "./config";
import type { Architecture, LayerDescription, Linear, Norm } from "./description";
import { plainEmbedding } from "./description";
import type { Family } from "./family";
import type { NormKind, Sizes } from "./familyReader";
import { FamilyReader, plainAttention } from "./familyReader";
import { rotary } from "./rotary";
import type { Placement, SchemeName } from "./schemes";
import { schemeNamed } from "./schemes";
import { settleScheme } from "./settleScheme";
import type { LayerNames } from "./sublayers";
import { everywhere, normPaths, sublayers, vectorNames } from "./sublayers";

/** In what a family of the LLaMA lineage differs from Llama; each family file is one of these. */
export interface LineageTraits {
  readonly family: string;
  /** Which linears carry a bias. */
  readonly biases: (config: LineageConfig) => {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
    readonly feedForward: boolean;
  };
  /** Whether queries and keys are normalised per head. */
  readonly queryKeyNorm: boolean;
  /** Channels of a head where the config has no head_dim; undefined: hidden size / heads. */
  readonly defaultHeadSize?: number;
  /** Sliding window of the layer with this index; undefined: full causal attention. */
  readonly window: (config: LineageConfig, layer: number) => number | undefined;
}

/** A family of the lineage, told by its config. */
export function lineageFamily(traits: LineageTraits, recognises: Family["recognises"]): Family {
  return {
    name: traits.family,
    recognises,
    describe: (checkpoint, config, asked) =>
      describeLineage(
        new FamilyReader(traits.family, checkpoint, config),
        settleScheme(checkpoint, config, asked),
        traits,
      ),
  };
}

/** The stated sliding window; as in transformers, null is none and an absent key is 4096. */
export function windowSize({ sliding_window: window }: LineageConfig): number | undefined {
  return window === undefined ? 4096 : (window ?? undefined);
}

/** Qwen's rule: where windows are switched on, the layers that `layer_types` names, or the last ones. */
export function windowOfLayerTypes(config: LineageConfig, layer: number): number | undefined {
  if (config.use_sliding_window !== true) return undefined;
  const slides = config.layer_types
    ? config.layer_types[layer] === "sliding_attention"
    : layer >= (config.max_window_layers ?? 28);
  return slides ? windowSize(config) : undefined;
}

/**
 * Describes a checkpoint with Llama's tensor names: pre-normalised attention with rotary positions
 * and a gated feed-forward (modeling_llama.py of transformers).
 *
 * @throws CheckpointError when the config and the tensors contradict each other
 */
function describeLineage(
  reader: FamilyReader,
  scheme: Architecture["scheme"],
  traits: LineageTraits,
): Architecture {
  const { tensors, config } = reader;
  const parsed = reader.parse(lineageSchema);
  const sizes = headSizes(reader, parsed, traits.defaultHeadSize);
  const { hiddenSize, heads, keyValueHeads, headSize } = sizes;
  const activation = reader.activation("hidden_act", parsed.hidden_act);
  const { theta, scaling, contextLength } = rotaryOf(config, parsed);
  // A checkpoint of the stack alone (LlamaModel) lacks the prefix that the model with a head has.
  const prefix = tensors.has("embed_tokens.weight") ? "" : "model.";
  const biases = traits.biases(parsed);

  const linear = (path: string, output: Sizes, input: Sizes, hasBias: boolean): Linear =>
    reader.linear(path, output, input, { hasBias });
  const rms: NormKind = { kind: "rms", epsilon: parsed.rms_norm_eps };
  const streamKind: NormKind = { ...rms, groups: normGroups(reader, parsed, scheme.name) };
  const hidden = { hidden_size: hiddenSize };
  const streamNorm = (path: string): Norm => reader.norm(path, hidden, streamKind);
  const queries = { "num_attention_heads × head_dim": heads * headSize };
  const keys = { "num_key_value_heads × head_dim": keyValueHeads * headSize };
  const inner = { intermediate_size: parsed.intermediate_size };

  const layer = (index: number): LayerDescription => {
    const path = `${prefix}layers.${index}`;
    const attention = `${path}.self_attn`;
    const placement = schemeNamed(scheme.name).placement(index, parsed.num_hidden_layers);
    const headNorm = (name: string): Norm | undefined =>
      traits.queryKeyNorm
        ? reader.norm(`${attention}.${name}`, { head_dim: headSize }, rms)
        : undefined;
    const modules = {
      attention: () => ({
        ...plainAttention(heads, headSize, {
          query: linear(`${attention}.q_proj`, queries, hidden, biases.queryKeyValue),
          key: linear(`${attention}.k_proj`, keys, hidden, biases.queryKeyValue),
          value: linear(`${attention}.v_proj`, keys, hidden, biases.queryKeyValue),
          output: linear(`${attention}.o_proj`, hidden, queries, biases.attentionOutput),
        }),
        keyValueHeads,
        queryNorm: headNorm("q_norm"),
        keyNorm: headNorm("k_norm"),
        rotary: rotary(headSize, theta, scaling),
        window: traits.window(parsed, index),
      }),
      feedForward: () => ({
        gate: linear(`${path}.mlp.gate_proj`, inner, hidden, biases.feedForward),
        up: linear(`${path}.mlp.up_proj`, inner, hidden, biases.feedForward),
        down: linear(`${path}.mlp.down_proj`, hidden, inner, biases.feedForward),
        activation,
      }),
    };
    const names = namesOf(placement, (name) => tensors.has(`${path}.${name}.weight`));
    const read = {
      norm: (name: string) => streamNorm(`${path}.${name}`),
      vector: (name: string) => tensors.take(`${path}.${name}`, hidden),
    };
    return {
      path,
      ...sublayers(placement, names, read, modules),
    };
  };

  const vocabulary = { vocab_size: parsed.vocab_size, ...hidden };
  const embedding = tensors.take(`${prefix}embed_tokens.weight`, vocabulary);
  const layers = Array.from({ length: parsed.num_hidden_layers }, (_, index) => layer(index));
  // Post-LN ends every layer in a norm, and training code then often leaves the final one out.
  const endsInNorm = layers.at(-1)!.feedForward.sumNorm !== undefined;
  const hasFinalNorm = !endsInNorm || tensors.has(`${prefix}norm.weight`);
  const finalNorm = hasFinalNorm ? streamNorm(`${prefix}norm`) : undefined;
  const head = reader.head("lm_head.weight", embedding, vocabulary, {
    isTied: parsed.tie_word_embeddings ?? false,
    isExpected: prefix !== "",
  });
  // Stored by old versions of transformers; recomputed from rope_theta by all of them.
  tensors.ignore(/\.rotary_emb\.inv_freq$/);
  // LayerNorm Scaling's factors, stored as a buffer by some training code.
  tensors.ignore(/\.ln_scale$/);

  return reader.finish({
    hiddenSize,
    heads,
    keyValueHeads,
    feedForwardSize: parsed.intermediate_size,
    vocabularySize: parsed.vocab_size,
    contextLength,
    scheme,
    embedding: plainEmbedding(embedding),
    layers,
    finalNorm,
    head,
  });
}

/** Llama's two names, wherever its code then puts the norms. */
const llamaNames = everywhere("input_layernorm", "post_attention_layernorm");

/** Gemma 2, OLMo 2 and the code of LayerNorm Scaling: a name for each place. */
const namesByPlace: LayerNames = {
  attention: {
    ...vectorNames.attention,
    inputNorm: "input_layernorm",
    branchNorm: "post_attention_layernorm",
    sumNorm: "post_attention_layernorm",
  },
  feedForward: {
    ...vectorNames.feedForward,
    inputNorm: "pre_feedforward_layernorm",
    branchNorm: "post_feedforward_layernorm",
    sumNorm: "post_feedforward_layernorm",
  },
};

/** One norm that both parallel sublayers read. */
const sharedName = everywhere("input_layernorm", "input_layernorm");

/** How training code names the norms of a layer: the first way whose norms are there is meant. */
function namesOf(placement: Placement, holds: (path: string) => boolean): LayerNames {
  const known = [namesByPlace, llamaNames, ...(placement.isParallel ? [sharedName] : [])];
  return known.find((names) => normPaths(placement, names).every(holds)) ?? llamaNames;
}

function headSizes(
  reader: FamilyReader,
  parsed: LineageConfig,
  defaultHeadSize: number | undefined,
): { hiddenSize: number; heads: number; keyValueHeads: number; headSize: number } {
  const hiddenSize = parsed.hidden_size;
  const heads = parsed.num_attention_heads;
  const keyValueHeads = parsed.num_key_value_heads ?? heads;
  const headSize = parsed.head_dim ?? defaultHeadSize ?? hiddenSize / heads;
  if (heads % keyValueHeads !== 0) {
    throw reader.refusal(
      "num_key_value_heads",
      keyValueHeads,
      `it must divide num_attention_heads, ${heads}`,
    );
  }
  if (!Number.isInteger(headSize)) {
    throw reader.refusal(
      "num_attention_heads",
      heads,
      `it must divide hidden_size, ${hiddenSize}, where there is no head_dim`,
    );
  }
  if (headSize % 2 !== 0) {
    throw reader.refusal("head_dim", headSize, "rotary pairs need an even number");
  }
  return { hiddenSize, heads, keyValueHeads, headSize };
}

function normGroups(
  reader: FamilyReader,
  { norm_groups: groups, hidden_size: hiddenSize }: LineageConfig,
  scheme: SchemeName,
): number {
  if (scheme === "group-ln" && !groups) {
    throw reader.refusal("norm_groups", groups, "expected the number of groups of channels");
  }
  if (groups && hiddenSize % groups !== 0) {
    throw reader.refusal("norm_groups", groups, `it must divide hidden_size, ${hiddenSize}`);
  }
  return groups ?? 1;
}
