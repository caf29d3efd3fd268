import type { Checkpoint } from "../../checkpoint/checkpoint";
import { CheckpointError, quote, written } from "../../checkpoint/errors";
import type { SettingName } from "../reading";
import type { ValueOf } from "./hints";
import { activationKeys, activationNames, either, entriesOf, positionsIn } from "./hints";

/**
 * Refuses a config that says of a model what inference does not read: it would be read as another.
 *
 * @param isStated whether a setting is stated by a person, over what the config says
 * @param model how the model is read
 * @param ignored keys that somebody has looked at and found to change nothing
 * @throws CheckpointError naming the key and its value
 */
export function refuseUnread(
  checkpoint: Checkpoint,
  isStated: (name: SettingName) => boolean,
  model: ModelRead,
  ignored: readonly string[],
): void {
  const { config, tensors } = checkpoint;
  if (config === undefined) return;
  const fail = (path: string, value: unknown, way: string): never => {
    throw new CheckpointError(
      "unsupported",
      `${config.path}: ${quote(path)} is ${written(value)}, which changes what the model computes and is not read where a model is told from names and shapes; ${way}.`,
    );
  };
  const byName = `if it changes nothing here, name it in ignoredConfigKeys of a fathom.json beside the checkpoint`;
  for (const { key, path, value } of entriesOf(config)) {
    const rule = unread.find(({ key: pattern }) => pattern.test(key.split(".").at(-1)!));
    if (ignored.includes(path) || isNeutral(value, rule)) continue;
    if (activationKeys.includes(key) && typeof value === "string" && !isStated("activation")) {
      if (!activationNames.has(value.toLowerCase())) {
        fail(
          path,
          value,
          `activations that are known are ${[...activationNames.keys()].join(", ")}`,
        );
      }
    }
    if (rule === undefined || rule.isNeutral?.(value, config.value, model) === true) continue;
    if (rule.key.test("qk_norm") && hasQueryNorm(tensors)) continue;
    const { statedBy, means } = rule;
    const isRead =
      statedBy !== undefined &&
      (isStated(statedBy) || isReadAs(model.valuesOf(statedBy), means?.(value)));
    if (isRead) continue;
    fail(
      path,
      value,
      statedBy === undefined
        ? byName
        : `state ${statedBy} in a fathom.json beside the checkpoint or with --reading, or, ${byName}`,
    );
  }
}

/** How a model is read, as far as that is known. */
export interface ModelRead {
  /** The values that a setting may have: one where it is settled, none where it says nothing of the model. */
  readonly valuesOf: (name: SettingName) => readonly string[];
  /** Whether every position is read by every other. */
  readonly isBidirectional: boolean;
}

/** A key that changes what a model computes, in a way that inference does not read. */
interface Unread {
  readonly key: RegExp;
  /** Whether a value leaves everything as it is, beside those that always do (`isNeutral`). */
  readonly isNeutral?: (
    value: unknown,
    config: Readonly<Record<string, unknown>>,
    model: ModelRead,
  ) => boolean;
  /** Whether it says something where it is off, which of other keys is neutral. */
  readonly saysWhereOff?: true;
  /** The setting that says of the model what the key does. */
  readonly statedBy?: SettingName;
  /** The value of it that a value of the key is; where the model is read so, the key is read. */
  readonly means?: ValueOf;
}

const isOff = (value: unknown): boolean => value === false || value === 0;
const isOne = (value: unknown): boolean => value === 1 || value === "1";
const isAll =
  (usual: RegExp) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every((item) => typeof item === "string" && usual.test(item));

const unread: readonly Unread[] = [
  {
    key: /^scale_(emb|embeddings?|embed)$|^(emb|embedding|embeddings)_(scale|multiplier|scaling)/,
    isNeutral: isOne,
    statedBy: "embedding-scale",
  },
  { key: /^normalize_embeddings?$/, statedBy: "embedding-scale" },
  {
    key: /^(attention|attn|softmax|qk)_(scale|multiplier|scaling)|^query_pre_attn_scalar$/,
    isNeutral: isOne,
    statedBy: "scale",
  },
  {
    key: /^scale_attn_weights$/,
    isNeutral: (value) => !isOff(value),
    saysWhereOff: true,
    statedBy: "scale",
    means: either(undefined, "none"),
  },
  { key: /^scale_embedding$/, isNeutral: () => true },
  { key: /^(rope|rotary)_(scaling|parameters)$/, isNeutral: isPlainRotary },
  { key: /^rope_scale(_linear)?$|^rope_scaling_factor$/, isNeutral: isOne },
  { key: /^(partial_rotary_factor|rotary_pct|rotary_percent(age)?|rope_pct)$/, isNeutral: isOne },
  { key: /^(rotary_dim|rotary_ndims|rope_dim|rotary_dims)$/, isNeutral: isHeadSize },
  { key: /(^|_)multipliers?(_|$)|_multiplier_/, isNeutral: isOne },
  {
    key: /^(residual|logits?|output|lm_head|depth|width|branch|skip|input|query|key|value|mlp|ffn|block)_(scale|scaling|alpha|factor)/,
    isNeutral: isOne,
  },
  {
    key: /^scale_(depth|width|residual|logits|output|qk|query|attn_by_inverse_layer_idx)$/,
    isNeutral: isOne,
  },
  { key: /^(use_)?mup(_|$)|^dim_model_base$/ },
  { key: /soft_?cap/ },
  {
    key: /^(sliding_window(_size)?|attention_window|attn_window|local_window(_size)?|window_size)$/,
    isNeutral: isNoWindow,
  },
  { key: /^sliding_window_pattern$/, isNeutral: (_, config) => config["sliding_window"] == null },
  { key: /^(clip_qkv|qkv_clip|attn_clip|attention_clip)$/ },
  { key: /^alibi_bias_max$/, isNeutral: (value) => value === 8 },
  { key: /alibi/, statedBy: "positions", means: either("alibi") },
  {
    key: /^(position(_embedding|_encoding)?_type|positional?_(embedding|encoding)|pos_(emb|enc|embedding|encoding))$/,
    isNeutral: (value) =>
      typeof value !== "string" || /^(absolute|learned|rope|rotary)/i.test(value),
    statedBy: "positions",
    means: positionsIn,
  },
  {
    key: /^use_(rope|rotary)$/,
    isNeutral: (value, _, { valuesOf }) =>
      value === true || (isOff(value) && !valuesOf("positions").includes("rotary")),
    saysWhereOff: true,
    statedBy: "positions",
  },
  { key: /^no_rope_layers?|^nope_/ },
  { key: /(^|_)(experts?|moe)(_|$)/, isNeutral: isOne },
  {
    key: /^(layer_types|layers_block_type|block_types|attention_types|attn_types)$/,
    isNeutral: isAll(/^(full_attention|attention|full|global|attn|transformer)$/),
  },
  {
    key: /^(layer_pattern|block_pattern|hybrid_\w*|attn_layer_(period|offset|indices)|mixer_types?)$/,
  },
  { key: /^(use_)?qk_?(layer)?_?norm(alization)?$/, isNeutral: () => false },
  { key: /^(is_encoder_decoder|add_cross_attention)$/ },
  {
    key: /^(bidirectional|use_bidirectional_attention)$/,
    isNeutral: (_, __, { isBidirectional }) => isBidirectional,
    statedBy: "attention",
  },
  {
    key: /^(is_)?causal$/,
    isNeutral: (value, _, { isBidirectional }) =>
      isBidirectional ? isOff(value) : value === true || value === 1,
    saysWhereOff: true,
    statedBy: "attention",
  },
  {
    key: /^architectures$/,
    isNeutral: (value, _, { isBidirectional }) =>
      (isBidirectional && JSON.stringify(value).includes("MaskedLM")) ||
      !/MaskedLM|Seq2Seq|ConditionalGeneration|(?<!Image)Classification|Answering|Encoder\b/.test(
        JSON.stringify(value),
      ),
  },
];

/** Values that change nothing: of any key nothing at all, and of most keys what turns them off. */
function isNeutral(value: unknown, rule: Unread | undefined): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (isOff(value)) return rule?.saysWhereOff !== true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function isReadAs(values: readonly string[], meant: string | undefined): boolean {
  return meant !== undefined && values.length === 1 && values[0] === meant;
}

function hasQueryNorm(tensors: Checkpoint["tensors"]): boolean {
  return [...tensors.keys()].some((name) =>
    /(^|[._])(q|query)_?(ln|norm|layernorm)|(ln|norm)_?q(uery)?(\.|$)/i.test(name),
  );
}

/** Rotary parameters without a scaling. */
function isPlainRotary(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === "none" || value === "default";
  const { rope_type, type, factor, partial_rotary_factor } = value as Record<string, unknown>;
  const kind = rope_type ?? type ?? "default";
  return (
    (kind === "default" || kind === "none") &&
    (factor ?? 1) === 1 &&
    (partial_rotary_factor ?? 1) === 1
  );
}

/** Rotated channels that are all of a head's. */
function isHeadSize(value: unknown, config: Readonly<Record<string, unknown>>): boolean {
  const [hidden, heads] = [
    config["hidden_size"] ?? config["n_embd"] ?? config["d_model"],
    config["num_attention_heads"] ?? config["n_head"] ?? config["n_heads"],
  ];
  return value === (config["head_dim"] ?? Number(hidden) / Number(heads));
}

/** A window that is turned off, or as long as the longest sequence. */
function isNoWindow(value: unknown, config: Readonly<Record<string, unknown>>): boolean {
  if (config["use_sliding_window"] === false) return true;
  const longest = config["max_position_embeddings"];
  return (
    typeof value === "number" && (value < 0 || (typeof longest === "number" && value >= longest))
  );
}
