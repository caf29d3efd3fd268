import { basename } from "node:path";
import type { Checkpoint } from "../../checkpoint/checkpoint";
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

/** What a key's value means of a setting; undefined where that is nothing. */
export type ValueOf = (value: unknown) => string | undefined;

const numeral: ValueOf = (value) => (typeof value === "number" ? String(value) : undefined);
const smallNumeral: ValueOf = (value) =>
  typeof value === "number" && value >= 0 && value < 1 ? settingText(value) : undefined;
/** What true and false mean; undefined: nothing. */
export const either =
  (ifTrue: string | undefined, ifFalse?: string): ValueOf =>
  (value) =>
    value === true ? ifTrue : value === false ? ifFalse : undefined;

/** Activations as configs call them; of a gated feed-forward also by the name of the whole. */
export const activationNames: ReadonlyMap<string, string> = new Map([
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

/** What configs call the key of an activation. */
export const activationKeys = [
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
export const positionsIn: ValueOf = (value) => {
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
  "norm-groups": [[numeral, ["norm_groups"]]],
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

/** Every entry of a config, and of the objects of settings in it. */
export function* entriesOf({ value }: Config): Generator<Entry> {
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
