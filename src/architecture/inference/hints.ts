import { basename } from "node:path";
import type { Checkpoint } from "../../checkpoint/checkpoint";
import { CheckpointError, quote, written } from "../../checkpoint/errors";
import { activations } from "../familyReader";
import type { SettingName } from "../reading";
import { gelus, settingText } from "../settingValues";
import { statedSchemes } from "../settleScheme";

/** What a key of a config says of a setting. */
export interface Hint {
  readonly value: string;
  /** For example `n_head of config.json`. */
  readonly by: string;
}

type ValueOf = (value: unknown) => string | undefined;

const numeral: ValueOf = (value) => (typeof value === "number" ? String(value) : undefined);
const smallNumeral: ValueOf = (value) =>
  typeof value === "number" && value >= 0 && value < 1 ? settingText(value) : undefined;
/** What true and false mean; undefined: nothing. */
const either =
  (ifTrue: string | undefined, ifFalse?: string): ValueOf =>
  (value) =>
    value === true ? ifTrue : value === false ? ifFalse : undefined;

/** Activations as configs call them; of a gated feed-forward also by the name of the whole. */
const activationNames: ReadonlyMap<string, string> = new Map([
  ...activations,
  ["swiglu", "silu"],
  ["geglu", "gelu"],
  ["reglu", "relu"],
  ["gelu_tanh", "gelu_tanh"],
  ["squared_relu", "squared_relu"],
]);

/** An activation as readings have it: every GELU is one, and which it is is told apart. */
function activationIn(
  value: unknown,
): { readonly activation: string; readonly gelu?: string } | undefined {
  const name = typeof value === "string" ? activationNames.get(value.toLowerCase()) : undefined;
  if (name === undefined) return undefined;
  const gelu = Object.entries(gelus).find(([, known]) => known === name)?.[0];
  return gelu === undefined ? { activation: name } : { activation: "gelu", gelu };
}

const activationKeys = [
  "hidden_act",
  "hidden_activation",
  "activation_function",
  "activation",
  "activation_type",
  "act_fn",
];

const rotaryBaseKeys = [
  "rope_theta",
  "rope_base",
  "rotary_base",
  "rotary_emb_base",
  "rope_freq_base",
  "rotary_theta",
];

/** How positions are told, as configs call it; undefined where that is none of the readings. */
const positionsIn: ValueOf = (value) => {
  if (typeof value !== "string") return undefined;
  if (/^alibi$/i.test(value)) return "alibi";
  if (/^(rope|rotary)/i.test(value)) return "rotary";
  return /^(sine|sines|sinusoid|sinusoidal)$/i.test(value) ? "sines" : undefined;
};

/** What config.json and training scripts call a setting, and what their values mean. */
const keys: Partial<Record<SettingName, readonly (readonly [ValueOf, readonly string[]])[]>> = {
  heads: [
    [
      numeral,
      [
        "n_head",
        "n_heads",
        "num_heads",
        "nhead",
        "num_attention_heads",
        "n_head_q",
        "n_heads_q",
        "heads",
      ],
    ],
  ],
  positions: [
    [(value) => (typeof value === "number" ? "rotary" : undefined), rotaryBaseKeys],
    [either("rotary"), ["use_rope", "use_rotary"]],
    [either("alibi"), ["alibi", "use_alibi"]],
    [
      positionsIn,
      [
        "position_embedding_type",
        "position_encoding_type",
        "positional_embedding",
        "positional_encoding",
        "pos_emb",
        "pos_enc",
      ],
    ],
  ],
  "rotary-base": [[numeral, rotaryBaseKeys]],
  rotary: [
    [
      either("neighbours", "halves"),
      ["rope_interleaved", "rotary_interleaved", "rope_interleave", "interleaved_rope"],
    ],
  ],
  epsilon: [
    [
      smallNumeral,
      [
        "rms_norm_eps",
        "layer_norm_eps",
        "layer_norm_epsilon",
        "layernorm_epsilon",
        "norm_eps",
        "norm_epsilon",
        "rms_eps",
        "ln_eps",
      ],
    ],
  ],
  "norm-kind": [
    [(value) => (typeof value === "number" ? "rms" : undefined), ["rms_norm_eps", "rms_eps"]],
    [either("rms"), ["rms_norm", "use_rms_norm", "use_rmsnorm", "rmsnorm"]],
    [
      (value) => {
        if (typeof value !== "string") return undefined;
        if (/^(low[_-]?precision[_-]?)?rms([_-]?norm)?$/i.test(value)) return "rms";
        return /^(layer[_-]?norm|ln)$/i.test(value) ? "layer" : undefined;
      },
      ["norm_type", "norm", "normalization", "norm_class"],
    ],
  ],
  activation: [[(value) => activationIn(value)?.activation, activationKeys]],
  gelu: [[(value) => activationIn(value)?.gelu, activationKeys]],
  norm: [
    [
      either("pre-ln", "post-ln"),
      [
        "norm_first",
        "pre_norm",
        "prenorm",
        "pre_layer_norm",
        "normalize_before",
        "do_layer_norm_before",
      ],
    ],
    [either("post-ln"), ["post_norm", "postnorm", "post_layer_norm"]],
  ],
  scale: [[either(undefined, "none"), ["scale_attn_weights"]]],
  "embedding-scale": [[either("sqrt", "1"), ["scale_embedding"]]],
};

/**
 * What a config, or an object in it, states of a setting; undefined where it states none, or several.
 *
 * @param ignored keys that are not looked at
 */
export function hintOf(
  { config }: Checkpoint,
  name: SettingName,
  ignored: readonly string[],
): Hint | undefined {
  if (config === undefined) return undefined;
  const found = new Map<string, string>();
  for (const { key, path, value } of entriesOf(config)) {
    if (ignored.includes(path)) continue;
    for (const [valueOf, names] of keys[name] ?? []) {
      const meant = names.includes(key) ? valueOf(value) : undefined;
      if (meant !== undefined) found.set(meant, path);
    }
  }
  if (name === "norm") {
    for (const scheme of statedSchemes(without(config, ignored))) found.set(scheme, "norm scheme");
  }
  const [only] = [...found];
  return only && found.size === 1
    ? { value: only[0], by: `${only[1]} of ${fileOf(config)}` }
    : undefined;
}

/** Channels of a head where the config states them. */
export function headSizeHint({ config }: Checkpoint, ignored: readonly string[]): Hint | undefined {
  const found =
    config &&
    [...entriesOf(config)].find(({ key, path }) => key === "head_dim" && !ignored.includes(path));
  return found && typeof found.value === "number"
    ? { value: String(found.value), by: `${found.path} of ${fileOf(config)}` }
    : undefined;
}

type Config = NonNullable<Checkpoint["config"]>;

function without({ path, value }: Config, ignored: readonly string[]): Config {
  return {
    path,
    value: Object.fromEntries(Object.entries(value).filter(([key]) => !ignored.includes(key))),
  };
}

function fileOf({ path }: Config): string {
  return basename(path) === "config.json" ? "config.json" : "the checkpoint";
}

interface Entry {
  readonly key: string;
  /** With the keys of the objects that it lies in. */
  readonly path: string;
  readonly value: unknown;
}

/** Entries of an object of settings; one of more is a table of words, with any word among its keys. */
const mostSettings = 300;

/** Objects in a config that say nothing of what a model computes. */
const others = /optim|sched|scaler|quantization|rng|random|histor|metric|loss|tokenizer|vocab/i;

function* entriesOf({ value }: Config): Generator<Entry> {
  function* within(object: object, prefix: string, depth: number): Generator<Entry> {
    for (const [key, inner] of Object.entries(object) as [string, unknown][]) {
      const path = `${prefix}${key}`;
      yield { key, path, value: inner };
      const isObject = typeof inner === "object" && inner !== null && !Array.isArray(inner);
      const isOfSettings =
        isObject && !others.test(key) && Object.keys(inner).length <= mostSettings;
      if (isOfSettings && depth < 2) yield* within(inner, `${path}.`, depth + 1);
    }
  }
  yield* within(value, "", 0);
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
  { key: /^(is_encoder_decoder|bidirectional|use_bidirectional_attention|add_cross_attention)$/ },
  {
    key: /^(is_)?causal$/,
    isNeutral: (value, _, { isBidirectional }) =>
      isBidirectional ? isOff(value) : value === true || value === 1,
    saysWhereOff: true,
  },
  {
    key: /^architectures$/,
    isNeutral: (value) =>
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
