import { isDeepStrictEqual } from "node:util";
import * as z from "zod";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { CheckpointError, written } from "../checkpoint/errors";
import { expectationOf } from "../checkpoint/expectation";
import type { RotaryScaling } from "./rotary";

/** A number of channels, heads or tokens. */
export const size = z
  .int()
  .min(1)
  .max(1 << 24);
export const layerCount = z.int().min(1).max(10_000);
export const positive = z.number().positive();
export const epsilon = z.number().nonnegative();
export const flag = z.boolean().nullish();

export const rotaryParameters = z.object({
  rope_type: z.string().optional(),
  /** The key before transformers 4.43. */
  type: z.string().optional(),
  rope_theta: positive.optional(),
  factor: positive.optional(),
  low_freq_factor: positive.optional(),
  high_freq_factor: positive.optional(),
  original_max_position_embeddings: positive.optional(),
  partial_rotary_factor: positive.optional(),
  short_factor: z.array(positive).optional(),
  long_factor: z.array(positive).optional(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  mscale: z.number().nonnegative().nullish(),
  mscale_all_dim: z.number().nonnegative().nullish(),
  attention_factor: positive.nullish(),
  truncate: flag,
});

export type RotaryParameters = z.infer<typeof rotaryParameters>;

/** The keys of config.json about rotary positions, of both generations. */
export const rotaryKeys = {
  max_position_embeddings: size.nullish(),
  rope_theta: positive.nullish(),
  rope_scaling: rotaryParameters.nullish(),
  /** transformers 5 writes theta and scaling in one place. */
  rope_parameters: rotaryParameters.nullish(),
  original_max_position_embeddings: size.nullish(),
};

/** The same where a part of each head's channels may be rotated. */
export const partialRotaryKeys = {
  ...rotaryKeys,
  partial_rotary_factor: positive.max(1).nullish(),
};

export type RotaryConfig = Partial<z.infer<z.ZodObject<typeof partialRotaryKeys>>>;

/** The keys of config.json that the LLaMA lineage shares, under Hugging Face's names. */
export const lineageSchema = z.object({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: layerCount,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  hidden_act: z.string().default("silu"),
  rms_norm_eps: epsilon.default(1e-6),
  tie_word_embeddings: flag,
  attention_bias: flag,
  mlp_bias: flag,
  ...rotaryKeys,
  sliding_window: size.nullish(),
  use_sliding_window: flag,
  max_window_layers: z.int().nonnegative().nullish(),
  layer_types: z.array(z.enum(["full_attention", "sliding_attention"])).nullish(),
});

export type LineageConfig = z.infer<typeof lineageSchema>;

/**
 * The keys of a config.json as a schema has them.
 *
 * @throws CheckpointError naming the key and its value when the config does not fit
 */
export function parseConfig<Schema extends z.ZodType>(
  config: NonNullable<Checkpoint["config"]>,
  schema: Schema,
): z.infer<Schema> {
  const parsed = schema.safeParse(config.value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const key = issue.path.join(".");
  const value = issue.path.reduce<unknown>(
    (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
    config.value,
  );
  throw configError(config, key, value, expectationOf(issue));
}

/** A config with its keys under the names that are read, where it has them under others. */
export function withNames(
  config: NonNullable<Checkpoint["config"]>,
  names: Readonly<Record<string, string>>,
): NonNullable<Checkpoint["config"]> {
  const renamed = Object.entries(names).flatMap(([other, name]) =>
    other in config.value ? [[name, config.value[other]] as const] : [],
  );
  return { ...config, value: { ...Object.fromEntries(renamed), ...config.value } };
}

/** An error that names the config file, the key, the value found and what was expected. */
export function configError(
  config: NonNullable<Checkpoint["config"]>,
  key: string,
  value: unknown,
  expectation: string,
): CheckpointError {
  return new CheckpointError(
    "config",
    `${config.path}: "${key}" is ${written(value)}; ${expectation}.`,
  );
}

/** What a family's positions are where the config does not say. */
export interface RotaryDefaults {
  /** Share of a head's channels that are rotated; undefined: the family only knows whole heads. */
  readonly defaultShare?: number;
  readonly defaultTheta?: number;
}

/**
 * Rotary base and scaling from either generation of config keys.
 *
 * @returns also the longest sequence that the scaling is meant for
 * @throws CheckpointError when the scaling is of a kind that is not supported
 */
export function rotaryOf(
  config: NonNullable<Checkpoint["config"]>,
  parsed: RotaryConfig,
  { defaultShare, defaultTheta = 10_000 }: RotaryDefaults = {},
): { theta: number; scaling: RotaryScaling; share: number; contextLength: number | undefined } {
  const key = parsed.rope_parameters ? "rope_parameters" : "rope_scaling";
  const parameters = parsed.rope_parameters ?? parsed.rope_scaling ?? {};
  const isStatedTwice = parsed.rope_parameters && parsed.rope_scaling;
  if (isStatedTwice && !isDeepStrictEqual(parsed.rope_parameters, parsed.rope_scaling)) {
    const both = { rope_parameters: parameters, rope_scaling: parsed.rope_scaling };
    throw configError(config, key, both, "versions of transformers differ in which counts");
  }
  const theta = parameters.rope_theta ?? parsed.rope_theta ?? defaultTheta;
  const type = parameters.rope_type ?? parameters.type ?? "default";
  const original = originalContextOf(config, key, parameters, parsed);
  const originalContextLength = original ?? parsed.max_position_embeddings ?? 8192;
  const required = (name: "factor" | "low_freq_factor" | "high_freq_factor"): number => {
    const value = parameters[name];
    if (value === undefined)
      throw configError(config, `${key}.${name}`, value, `expected by ${type}`);
    return value;
  };
  const stated = Object.keys((config.value[key] as object | null | undefined) ?? {});
  if (stated.length > 0 && Object.values(parameters).every((value) => value === undefined)) {
    throw configError(config, key, config.value[key], "expected rope_theta or rope_type in it");
  }
  const share =
    parameters.partial_rotary_factor ?? parsed.partial_rotary_factor ?? defaultShare ?? 1;
  if (defaultShare === undefined && share !== 1) {
    throw configError(
      config,
      `${key}.partial_rotary_factor`,
      share,
      "only whole heads are rotated in this family",
    );
  }
  const contextLength = parsed.max_position_embeddings ?? undefined;
  const settled = { theta, share, contextLength };
  const unknown = (): CheckpointError => {
    const known = ["default", "linear", "dynamic", "llama3", "yarn"];
    const all = defaultShare === undefined ? known : [...known, "longrope"];
    return configError(config, `${key}.rope_type`, type, `supported are ${all.join(", ")}`);
  };
  switch (type) {
    case "default":
      return { ...settled, scaling: { type: "default" } };
    case "dynamic":
      // It only begins beyond max_position_embeddings, which no sequence here exceeds.
      if (parsed.max_position_embeddings === undefined || parsed.max_position_embeddings === null) {
        throw configError(config, "max_position_embeddings", undefined, `expected by ${type}`);
      }
      return { ...settled, scaling: { type: "default" } };
    case "linear":
      return { ...settled, scaling: { type, factor: required("factor") } };
    case "llama3":
      if (required("high_freq_factor") <= required("low_freq_factor")) {
        throw configError(
          config,
          `${key}.high_freq_factor`,
          parameters.high_freq_factor,
          `it must exceed low_freq_factor, ${required("low_freq_factor")}`,
        );
      }
      return {
        ...settled,
        scaling: {
          type,
          factor: required("factor"),
          lowFrequencyFactor: required("low_freq_factor"),
          highFrequencyFactor: required("high_freq_factor"),
          originalContextLength,
        },
      };
    case "su":
    case "longrope": {
      if (defaultShare === undefined) throw unknown();
      const limit = original ?? contextLength;
      const { short_factor: factors, attention_factor: attentionFactor } = parameters;
      if (factors === undefined || limit === undefined) {
        const missing = factors ? "original_max_position_embeddings" : "short_factor";
        throw configError(config, `${key}.${missing}`, undefined, `expected by ${type}`);
      }
      const stretch = parameters.factor ?? (contextLength ?? limit) / limit;
      const magnitude = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(limit));
      return {
        ...settled,
        scaling: { type: "longrope", factors, magnitude: attentionFactor ?? magnitude },
        // A longer sequence is rotated otherwise from its first token on.
        contextLength: limit,
      };
    }
    case "yarn": {
      const factor = required("factor");
      return {
        ...settled,
        scaling: {
          type,
          factor,
          fastTurns: parameters.beta_fast ?? 32,
          slowTurns: parameters.beta_slow ?? 1,
          originalContextLength,
          isTruncated: parameters.truncate ?? true,
          magnitude: yarnMagnitude(factor, parameters),
        },
      };
    }
    default:
      throw unknown();
  }
}

/**
 * The context that a model was trained with before its positions were stretched.
 *
 * @throws CheckpointError when it is stated beside the scaling and in it, and not the same
 */
function originalContextOf(
  config: NonNullable<Checkpoint["config"]>,
  key: string,
  { original_max_position_embeddings: inScaling }: RotaryParameters,
  { original_max_position_embeddings: beside }: RotaryConfig,
): number | undefined {
  if (typeof beside === "number" && inScaling !== undefined && beside !== inScaling) {
    throw configError(
      config,
      `${key}.original_max_position_embeddings`,
      inScaling,
      `${beside} stands beside it, and versions of transformers differ in which counts`,
    );
  }
  return beside ?? inScaling;
}

function yarnMagnitude(
  factor: number,
  { attention_factor: stated, mscale, mscale_all_dim: ofScores }: RotaryParameters,
): number {
  if (stated) return stated;
  return mscale && ofScores
    ? yarnScale(factor, mscale) / yarnScale(factor, ofScores)
    : yarnScale(factor, 1);
}

/** 0.1 · weight · ln(factor) + 1: how much YaRN raises queries and keys for a context this much longer. */
export function yarnScale(factor: number, weight: number): number {
  return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
}
