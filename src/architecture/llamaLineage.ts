import type { Checkpoint, TensorEntry } from "../checkpoint/checkpoint";
import type { LineageConfig } from "./config";
import { configError, parseLineageConfig, rotaryOf } from "./config";
import type { Activation, Architecture, LayerDescription, Linear, Norm } from "./description";
import { plainEmbedding, plainHead } from "./description";
import type { Family } from "./family";
import { rotary } from "./rotary";
import type { Placement, SchemeName } from "./schemes";
import { schemeNamed } from "./schemes";
import { settleScheme } from "./settleScheme";
import type { LayerNames } from "./sublayers";
import { normPaths, sublayers } from "./sublayers";
import { TensorDirectory } from "./tensorDirectory";

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
      describeLineage(checkpoint, config, settleScheme(checkpoint, config, asked), traits),
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
  checkpoint: Checkpoint,
  config: NonNullable<Checkpoint["config"]>,
  scheme: Architecture["scheme"],
  traits: LineageTraits,
): Architecture {
  const parsed = parseLineageConfig(config);
  const sizes = headSizes(config, parsed, traits.defaultHeadSize);
  const { hiddenSize, heads, keyValueHeads, headSize } = sizes;
  const activation = activations.get(parsed.hidden_act);
  if (activation === undefined) {
    const known = [...activations.keys()].join(", ");
    throw configError(config, "hidden_act", parsed.hidden_act, `supported are ${known}`);
  }
  const { theta, scaling } = rotaryOf(config, parsed);
  const tensors = new TensorDirectory(checkpoint);
  // A checkpoint of the stack alone (LlamaModel) lacks the prefix that the model with a head has.
  const prefix = tensors.has("embed_tokens.weight") ? "" : "model.";
  const biases = traits.biases(parsed);

  const linear = (
    path: string,
    output: Record<string, number>,
    input: Record<string, number>,
    hasBias: boolean,
  ): Linear => ({
    weight: tensors.take(`${path}.weight`, { ...output, ...input }),
    bias: hasBias ? tensors.take(`${path}.bias`, output) : undefined,
  });
  const groups = normGroups(config, parsed, scheme.name);
  const norm = (path: string, size: Record<string, number>): Norm => ({
    kind: "rms",
    path,
    weight: tensors.take(`${path}.weight`, size),
    weightOffset: 0,
    bias: undefined,
    epsilon: parsed.rms_norm_eps,
    groups: 1,
  });
  const hidden = { hidden_size: hiddenSize };
  const streamNorm = (path: string): Norm => ({ ...norm(path, hidden), groups });
  const queries = { "num_attention_heads × head_dim": heads * headSize };
  const keys = { "num_key_value_heads × head_dim": keyValueHeads * headSize };
  const inner = { intermediate_size: parsed.intermediate_size };

  const layer = (index: number): LayerDescription => {
    const path = `${prefix}layers.${index}`;
    const attention = `${path}.self_attn`;
    const placement = schemeNamed(scheme.name).placement(index, parsed.num_hidden_layers);
    const headNorm = (name: string): Norm | undefined =>
      traits.queryKeyNorm ? norm(`${attention}.${name}`, { head_dim: headSize }) : undefined;
    const modules = {
      attention: () => ({
        heads,
        keyValueHeads,
        headSize,
        valueSize: headSize,
        query: linear(`${attention}.q_proj`, queries, hidden, biases.queryKeyValue),
        key: linear(`${attention}.k_proj`, keys, hidden, biases.queryKeyValue),
        value: linear(`${attention}.v_proj`, keys, hidden, biases.queryKeyValue),
        output: linear(`${attention}.o_proj`, hidden, queries, biases.attentionOutput),
        queryNorm: headNorm("q_norm"),
        keyNorm: headNorm("k_norm"),
        normsSpan: "head" as const,
        rotary: rotary(headSize, theta, scaling),
        slopes: undefined,
        scale: 1 / Math.sqrt(headSize),
        softcap: undefined,
        isBidirectional: false,
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
  const head = takeHead(
    tensors,
    prefix,
    embedding,
    vocabulary,
    parsed.tie_word_embeddings ?? false,
  );
  // Stored by old versions of transformers; recomputed from rope_theta by all of them.
  tensors.ignore(/\.rotary_emb\.inv_freq$/);
  // LayerNorm Scaling's factors, stored as a buffer by some training code.
  tensors.ignore(/\.ln_scale$/);
  tensors.requireAllTaken(traits.family);

  return {
    family: traits.family,
    hiddenSize,
    heads,
    keyValueHeads,
    feedForwardSize: parsed.intermediate_size,
    vocabularySize: parsed.vocab_size,
    contextLength: parsed.max_position_embeddings ?? undefined,
    scheme,
    embedding: plainEmbedding(embedding),
    layers,
    finalNorm,
    head,
  };
}

/** The vectors of LayerScale and Admin. */
const vectorNames = {
  attention: {
    branchScale: "attention_layer_scale",
    streamScale: "attention_residual_scale",
  },
  feedForward: {
    branchScale: "feed_forward_layer_scale",
    streamScale: "feed_forward_residual_scale",
  },
};

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

/** One norm a sublayer, under the same name at any place. */
function everywhere(attention: string, feedForward: string): LayerNames {
  const at = (name: string) => ({ inputNorm: name, branchNorm: name, sumNorm: name });
  return {
    attention: { ...vectorNames.attention, ...at(attention) },
    feedForward: { ...vectorNames.feedForward, ...at(feedForward) },
  };
}

/** Hugging Face's names of activations, and ours. */
const activations: ReadonlyMap<string, Activation> = new Map([
  ["silu", "silu"],
  ["swish", "silu"],
  ["gelu", "gelu"],
  ["gelu_new", "gelu_tanh"],
  ["gelu_pytorch_tanh", "gelu_tanh"],
]);

function headSizes(
  config: NonNullable<Checkpoint["config"]>,
  parsed: LineageConfig,
  defaultHeadSize: number | undefined,
): { hiddenSize: number; heads: number; keyValueHeads: number; headSize: number } {
  const hiddenSize = parsed.hidden_size;
  const heads = parsed.num_attention_heads;
  const keyValueHeads = parsed.num_key_value_heads ?? heads;
  const headSize = parsed.head_dim ?? defaultHeadSize ?? hiddenSize / heads;
  if (heads % keyValueHeads !== 0) {
    throw configError(
      config,
      "num_key_value_heads",
      keyValueHeads,
      `it must divide num_attention_heads, ${heads}`,
    );
  }
  if (!Number.isInteger(headSize)) {
    throw configError(
      config,
      "num_attention_heads",
      heads,
      `it must divide hidden_size, ${hiddenSize}, where there is no head_dim`,
    );
  }
  if (headSize % 2 !== 0) {
    throw configError(config, "head_dim", headSize, "rotary pairs need an even number");
  }
  return { hiddenSize, heads, keyValueHeads, headSize };
}

function normGroups(
  config: NonNullable<Checkpoint["config"]>,
  { norm_groups: groups, hidden_size: hiddenSize }: LineageConfig,
  scheme: SchemeName,
): number {
  if (scheme === "group-ln" && !groups) {
    throw configError(config, "norm_groups", groups, "expected the number of groups of channels");
  }
  if (groups && hiddenSize % groups !== 0) {
    throw configError(config, "norm_groups", groups, `it must divide hidden_size, ${hiddenSize}`);
  }
  return groups ?? 1;
}

function takeHead(
  tensors: TensorDirectory,
  prefix: string,
  embedding: TensorEntry,
  vocabulary: Record<string, number>,
  tied: boolean,
): Architecture["head"] {
  if (tied) {
    // Some checkpoints store the tied weight twice.
    return tensors.has("lm_head.weight")
      ? { ...plainHead(embedding), tied, copy: tensors.take("lm_head.weight", vocabulary) }
      : { ...plainHead(embedding), tied };
  }
  if (prefix === "" && !tensors.has("lm_head.weight")) return undefined;
  return plainHead(tensors.take("lm_head.weight", vocabulary));
}
