import type * as z from "zod";
import type { LineageConfig } from "./config";
import { rotaryOf, withNames } from "./config";
import type {
  Activation,
  Architecture,
  Attention,
  FeedForward,
  LayerDescription,
  MixtureOfExperts,
  Norm,
  Rotary,
} from "./description";
import { isMixture, plainEmbedding } from "./description";
import type { Family } from "./family";
import type { NormKind, Sizes } from "./familyReader";
import { FamilyReader, plainAttention } from "./familyReader";
import { rotary } from "./rotary";
import type { Placement } from "./schemes";
import { schemeNamed } from "./schemes";
import type { SettledScheme } from "./settleScheme";
import { settleScheme } from "./settleScheme";
import type { LayerNames } from "./sublayers";
import { everywhere, normPaths, sublayers, vectorNames } from "./sublayers";

/** In what a family of the LLaMA lineage differs from Llama; each family file is one of these. */
export interface LineageTraits<Config extends LineageConfig = LineageConfig> {
  readonly family: string;
  /** Other names of keys that its configs may have, as in `attribute_map` of its config class. */
  readonly otherNames?: Readonly<Record<string, string>>;
  /** The keys of config.json that it reads, with its defaults. */
  readonly schema: z.ZodType<Config>;
  /** Keys of config.json with the only value of each that is supported. */
  readonly only?: Readonly<Record<string, unknown>>;
  /** Which linears carry a bias. */
  readonly biases: (config: Config) => {
    readonly queryKeyValue: boolean;
    readonly attentionOutput: boolean;
    readonly feedForward: boolean;
  };
  /** Over what queries and keys are normalised, if they are. */
  readonly queryKeyNorm: false | Attention["normsSpan"];
  /** Channels of a head where the config has no head_dim; undefined: hidden size / heads. */
  readonly defaultHeadSize?: number | undefined;
  /** Sliding window of the layer with this index; undefined: full causal attention. */
  readonly window: (config: Config, layer: number) => number | undefined;
  /** The scheme where nothing says another; undefined: Pre-LN. */
  readonly scheme?: SettledScheme;
  /** In what its norms differ from RMS norms with a weight and the config's ε. */
  readonly norm?: Partial<NormKind>;
  /** The activation's name, and the key that states it; undefined: hidden_act. */
  readonly activation?: (config: Config) => readonly [key: string, name: string];
  /** Base of the rotary frequencies where the config states none; undefined: 10,000. */
  readonly defaultTheta?: number;
  /** Rotation of one layer's queries and keys where it is not the same in all of them. */
  readonly rotary?: (reader: FamilyReader, config: Config, layer: number, size: number) => Rotary;
  /** Factor on the token embedding. */
  readonly embeddingScale?: (config: Config) => number;
  /** Whether the head is tied where the config does not say; undefined: it is not. */
  readonly isTied?: boolean;
  readonly headSoftcap?: (config: Config) => number | undefined;
  /** What else its attention differs in. */
  readonly attention?: (config: Config) => Partial<Pick<Attention, "scale" | "softcap" | "clip">>;
  /** Reads an attention of another kind than the lineage's. */
  readonly readAttention?: (reading: ModuleReading<Config>) => Attention;
  /** Reads a feed-forward of another kind than the lineage's. */
  readonly readFeedForward?: (reading: ModuleReading<Config>) => FeedForward | MixtureOfExperts;
  /** Tensors that play no part, and what is then said of them. */
  readonly leftOut?: (config: Config) => { readonly tensors: RegExp; readonly notice: string };
}

/** One layer's attention or feed-forward that is to be read. */
export interface ModuleReading<Config> {
  readonly reader: FamilyReader;
  readonly config: Config;
  readonly layer: number;
  /** Module path of the layer. */
  readonly path: string;
  /** The hidden size. */
  readonly hidden: Sizes;
  readonly activation: Activation;
}

/** A family of the lineage, told by its config. */
export function lineageFamily<Config extends LineageConfig>(
  traits: LineageTraits<Config>,
  recognises: Family["recognises"],
): Family {
  return {
    name: traits.family,
    recognises,
    describe: (checkpoint, config, asked) =>
      describeLineage(
        new FamilyReader(traits.family, checkpoint, withNames(config, traits.otherNames ?? {})),
        settleScheme(checkpoint, config, asked, traits.scheme),
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
 * @param prefixes what may stand before `embed_tokens` and `layers`: nothing where the stack is stored
 *   alone (LlamaModel)
 * @throws CheckpointError when the config and the tensors contradict each other
 */
export function describeLineage<Config extends LineageConfig>(
  reader: FamilyReader,
  scheme: Architecture["scheme"],
  traits: LineageTraits<Config>,
  prefixes: readonly string[] = ["", "model."],
): Architecture {
  const { tensors } = reader;
  const parsed = reader.parse(traits.schema);
  for (const [key, supported] of Object.entries(traits.only ?? {})) {
    reader.requireOnly(key, supported);
  }
  const { layer_types: types, num_hidden_layers: layerNumber } = parsed;
  if (types && types.length !== layerNumber) {
    throw reader.refusal("layer_types", types, `expected one for each of ${layerNumber} layers`);
  }
  const hiddenSize = parsed.hidden_size;
  const activation = reader.activation(
    ...(traits.activation?.(parsed) ?? (["hidden_act", parsed.hidden_act] as const)),
  );
  const prefix = prefixes.find((some) => tensors.has(`${some}embed_tokens.weight`)) ?? "model.";
  const ownNorm: NormKind = { kind: "rms", epsilon: parsed.rms_norm_eps, ...traits.norm };
  const hidden = { hidden_size: hiddenSize };
  const streamNorm = (path: string): Norm => reader.norm(path, hidden, ownNorm);
  const readAttention =
    traits.readAttention ??
    ((reading: ModuleReading<Config>) => attentionOf(reading, traits, ownNorm));
  const readFeedForward =
    traits.readFeedForward ??
    ((reading: ModuleReading<Config>) =>
      gatedFeedForward(
        reading,
        `${reading.path}.mlp`,
        { intermediate_size: parsed.intermediate_size },
        traits.biases(parsed).feedForward,
      ));

  const layer = (index: number): LayerDescription => {
    const path = `${prefix}layers.${index}`;
    const placement = schemeNamed(scheme.name).placement(index, parsed.num_hidden_layers);
    const reading = { reader, config: parsed, layer: index, path, hidden, activation };
    const modules = {
      attention: () => readAttention(reading),
      feedForward: () => readFeedForward(reading),
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
  const tokens = tensors.take(`${prefix}embed_tokens.weight`, vocabulary);
  const layers = Array.from({ length: parsed.num_hidden_layers }, (_, index) => layer(index));
  // Post-LN ends every layer in a norm, and training code then often leaves the final one out.
  const endsInNorm = layers.at(-1)!.feedForward.sumNorm !== undefined;
  const hasFinalNorm = !endsInNorm || tensors.has(`${prefix}norm.weight`);
  const finalNorm = hasFinalNorm ? streamNorm(`${prefix}norm`) : undefined;
  // A model within another keeps its head beside its stack.
  const head = reader.head(
    `${/^(.*\.)?language_model\./.exec(prefix)?.[0] ?? ""}lm_head.weight`,
    tokens,
    vocabulary,
    {
      isTied: parsed.tie_word_embeddings ?? traits.isTied ?? false,
      isExpected: prefix !== "",
    },
  );
  // Stored by old versions of transformers; recomputed from rope_theta by all of them.
  tensors.ignore(/\.rotary_emb\.inv_freq$/);
  const statedScales = reader.scalesOfLayers(new RegExp(`^${prefix}layers\\.(\\d+)\\..*ln_scale$`));
  const leftOut = traits.leftOut?.(parsed);
  const notices = leftOut && tensors.ignore(leftOut.tensors) > 0 ? [leftOut.notice] : [];

  const attention = layers[0]!.attention.module;
  return reader.finish({
    hiddenSize,
    heads: attention.heads,
    keyValueHeads: attention.keyValueHeads,
    feedForwardSize: innerSize(layers.at(-1)!.feedForward.module),
    vocabularySize: parsed.vocab_size,
    contextLength: parsed.max_position_embeddings ?? undefined,
    scheme,
    embedding: { ...plainEmbedding(tokens), scale: traits.embeddingScale?.(parsed) ?? 1 },
    layers,
    finalNorm,
    head: head && { ...head, softcap: traits.headSoftcap?.(parsed) },
    ...(statedScales.length > 0 && { statedScales }),
    ...(notices.length > 0 && { notices }),
  });
}

/** Llama's attention, with the norms and options that a family adds. */
function attentionOf<Config extends LineageConfig>(
  { reader, config, layer, path: layerPath, hidden }: ModuleReading<Config>,
  traits: LineageTraits<Config>,
  norm: NormKind,
): Attention {
  const { heads, keyValueHeads, headSize } = headSizes(reader, config, traits.defaultHeadSize);
  const path = `${layerPath}.self_attn`;
  const queries = { "num_attention_heads × head_dim": heads * headSize };
  const keys = { "num_key_value_heads × head_dim": keyValueHeads * headSize };
  const { queryKeyValue, attentionOutput } = traits.biases(config);
  const { queryKeyNorm } = traits;
  const ownNorm = (name: string, all: Sizes): Norm | undefined =>
    queryKeyNorm
      ? reader.norm(`${path}.${name}`, queryKeyNorm === "head" ? { head_dim: headSize } : all, norm)
      : undefined;
  return {
    ...plainAttention(heads, headSize, {
      query: reader.linear(`${path}.q_proj`, queries, hidden, { hasBias: queryKeyValue }),
      key: reader.linear(`${path}.k_proj`, keys, hidden, { hasBias: queryKeyValue }),
      value: reader.linear(`${path}.v_proj`, keys, hidden, { hasBias: queryKeyValue }),
      output: reader.linear(`${path}.o_proj`, hidden, queries, { hasBias: attentionOutput }),
    }),
    keyValueHeads,
    queryNorm: ownNorm("q_norm", queries),
    keyNorm: ownNorm("k_norm", keys),
    normsSpan: queryKeyNorm || "head",
    rotary:
      traits.rotary?.(reader, config, layer, headSize) ??
      rotaryFrom(reader, config, headSize, traits.defaultTheta),
    window: traits.window(config, layer),
    ...traits.attention?.(config),
  };
}

function rotaryFrom(
  reader: FamilyReader,
  config: LineageConfig,
  size: number,
  defaultTheta: number | undefined,
): Rotary {
  const { theta, scaling } = rotaryOf(reader.config, config, {
    ...(defaultTheta !== undefined && { defaultTheta }),
  });
  return rotary(size, theta, scaling);
}

/** The gated feed-forward at a module path. */
export function gatedFeedForward(
  { reader, hidden, activation }: Pick<ModuleReading<unknown>, "reader" | "hidden" | "activation">,
  path: string,
  inner: Sizes,
  hasBias = false,
): FeedForward {
  return {
    gate: reader.linear(`${path}.gate_proj`, inner, hidden, { hasBias }),
    up: reader.linear(`${path}.up_proj`, inner, hidden, { hasBias }),
    down: reader.linear(`${path}.down_proj`, hidden, inner, { hasBias }),
    activation,
  };
}

/** Inner channels of a feed-forward, or of one expert. */
function innerSize(module: FeedForward | MixtureOfExperts): number {
  const { up } = isMixture(module) ? module.experts[0]! : module;
  return up.weight.shape[0]!;
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
  // Llama's two names are enough where each sublayer has one norm.
  const oneEach = normPaths(placement, namesByPlace).length === 2 ? [llamaNames] : [];
  const known = [namesByPlace, ...oneEach, ...(placement.isParallel ? [sharedName] : [])];
  const held = known.find((names) => normPaths(placement, names).every(holds));
  return held ?? oneEach[0] ?? namesByPlace;
}

function headSizes(
  reader: FamilyReader,
  parsed: LineageConfig,
  defaultHeadSize: number | undefined,
): { heads: number; keyValueHeads: number; headSize: number } {
  const hiddenSize = parsed.hidden_size;
  const heads = parsed.num_attention_heads;
  const keyValueHeads = parsed.num_key_value_heads ?? heads;
  const headSize = parsed.head_dim ?? defaultHeadSize ?? hiddenSize / heads;
  reader.requireGroups("num_key_value_heads", keyValueHeads, heads);
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
  return { heads, keyValueHeads, headSize };
}
