import * as z from "zod";
import type { Activation } from "./description";
import type { SettingName, Settings } from "./reading";
import { settingNames } from "./reading";
import { schemeNames, schemeNamed } from "./schemes";
import type { SineLayout } from "./sines";
import { sineLayouts } from "./sines";

/**
 * The values of each setting, as `--reading KEY=VALUE` and fathom.json state them: numbers where they
 * are numbers. Which of them a checkpoint can have, its tensors say.
 */
export const settingValues = {
  heads: z
    .int()
    .min(1)
    .max(1 << 16)
    .describe("Number of attention heads."),
  norm: z
    .union([
      z.enum(schemeNames).meta({
        enumDescriptions: schemeNames.map((name) => {
          const { title, formula } = schemeNamed(name);
          return `${title}: ${formula}`;
        }),
      }),
      z
        .string()
        .regex(new RegExp(schemeNames.map((name) => schemeNamed(name).names.source).join("|"))),
    ])
    .describe("Where the norms of a layer stand: the norm placement scheme."),
  "norm-groups": z
    .int()
    .min(1)
    .max(1 << 16)
    .describe("Number of equal groups of channels that Group-LN's norms are taken over."),
  "norm-kind": z
    .enum(["rms", "layer", "sample"])
    .describe(
      "What a norm computes: RMSNorm (rms), LayerNorm (layer), or LayerNorm with the standard deviation of a sample and ε added to that (sample), as The Annotated Transformer has it.",
    ),
  "norm-order": z
    .string()
    .min(1)
    .max(400)
    .describe(
      "Order of a layer's norms by the sublayers they belong to, where names do not tell it: their paths within the layer, with commas. Roles tell it too.",
    ),
  activation: z
    .enum(["silu", "gelu", "gelu_tanh", "relu", "squared_relu", "quick_gelu"])
    .describe("Activation of the feed-forward; of its gate where it has one."),
  gelu: z
    .enum(["exact", "tanh", "quick"])
    .describe(
      "Whether GELU is computed by the error function (exact), or approximated with tanh or with the sigmoid of 1.702 x (quick).",
    ),
  positions: z
    .enum(["rotary", "alibi", "sines", "none"])
    .describe(
      "How positions are told where no tensor holds them: rotary, by ALiBi's slopes on the attention scores (alibi), by sinusoids added to the embedding (sines), or not at all (none).",
    ),
  sines: z
    .enum(Object.keys(sineLayouts) as [SineLayout, ...SineLayout[]])
    .describe(
      "Where a sinusoid's sine and cosine stand: in channels 2c and 2c + 1 (neighbours), or c and c + half (halves); the same with 1/10000 as the last frequency, as Tensor2Tensor has it (tensor2tensor).",
    ),
  rotary: z
    .enum(["halves", "neighbours"])
    .describe(
      "Which channels rotary positions turn together: c and c + half (GPT-NeoX, Hugging Face), or 2c and 2c + 1 (GPT-J, Meta).",
    ),
  "rotary-base": z.number().gt(1).describe("Base of the rotary frequencies, such as 10000."),
  "rotary-span": z
    .enum(["head", "heads"])
    .describe(
      "Whether each head's channels are turned by themselves (head), or those of all heads as one row (heads).",
    ),
  scale: z
    .enum(["head", "hidden", "none"])
    .describe(
      "Factor on the attention scores: one over the square root of a head's size, or of the hidden size; none: 1.",
    ),
  "embedding-scale": z
    .literal([1, "sqrt"])
    .describe("Factor on the token embedding: 1, or the square root of the hidden size (sqrt)."),
  segment: z
    .int()
    .min(0)
    .max(8)
    .describe("Which row of the segment embedding every token has, where a model has one."),
  attention: z
    .enum(["causal", "bidirectional"])
    .describe(
      "Which tokens each may attend to: those up to itself, the next one being told (causal), or all of them, masked ones being told (bidirectional).",
    ),
  "mask-token": z
    .int()
    .min(0)
    .max(1 << 24)
    .describe(
      "Id of the token that hides others from a bidirectional model; where it is not known, there is no loss.",
    ),
  memory: z
    .enum(["causal", "zeros", "whole"])
    .describe(
      "What a decoder without an encoder attends to beside itself: its own embedding up to each token (causal) or all of it, tokens that are to be told among them (whole), or zeros.",
    ),
  fused: z
    .enum(["thirds", "heads"])
    .describe(
      "How the rows of a fused query-key-value linear lie: all queries, all keys, all values (thirds), or for each head of keys its queries, its key and its value together (heads).",
    ),
  gate: z
    .enum(["first", "second"])
    .describe("Which half of a feed-forward's two inner linears goes through the activation."),
  pool: z
    .enum(["token", "mean", "normed-mean"])
    .describe(
      "What the class of an image is read from: the first token, the mean of the others, which is then normed (mean), or the mean of normed states (normed-mean).",
    ),
  pixels: z
    .enum(["channels-first", "channels-last"])
    .describe(
      "How a patch of an image is laid out for a linear: each channel after the other, or each pixel's channels together.",
    ),
  "head-activation": z
    .enum(["gelu", "gelu_tanh", "relu", "silu"])
    .describe("Activation between the two linears of a head that tells masked tokens."),
  epsilon: z.number().min(0).lt(1).describe("What is added to the variance in a norm's root."),
  linears: z
    .enum(["output-first", "input-first"])
    .describe(
      "How the weights of linears are stored: [output, input], as nn.Linear does, or [input, output], as Conv1D does.",
    ),
} as const satisfies Record<SettingName, z.ZodType<string | number>>;

/** What GELU is computed as, which predicts nearly the same: weights learned under one suit all. */
export const gelus = {
  exact: "gelu",
  tanh: "gelu_tanh",
  quick: "quick_gelu",
} as const satisfies Record<string, Activation>;

/** A value as `Settings` hold it: numbers as they are commonly written. */
export function settingText(value: string | number): string {
  if (typeof value === "string") return value;
  return value !== 0 && value < 1e-3 ? value.toExponential() : String(value);
}

/** The same as a person states it in JSON: a number where it is one. */
export function settingValue(text: string): string | number {
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Settings from the values of a file that has been checked. */
export function settingsOf(
  values: Readonly<Partial<Record<SettingName, string | number | undefined>>>,
): Settings {
  return Object.fromEntries(
    settingNames.flatMap((name) => {
      const value = values[name];
      return value === undefined ? [] : [[name, settingText(value)]];
    }),
  );
}

/** What a setting may be, in words; undefined where a text is a value of it. */
export function whyNotValue(name: SettingName, text: string): string | undefined {
  return settingValues[name].safeParse(settingValue(text)).success
    ? undefined
    : `expected ${valuesText(name)}`;
}

/** For messages: `one of rms, layer`, `a number above 1`. */
export function valuesText(name: SettingName): string {
  return rangesInWords[name] ?? `one of ${choices(settingValues[name]).join(", ")}`;
}

const rangesInWords: Partial<Record<SettingName, string>> = {
  heads: "a whole number of at least 1",
  norm: `one of ${schemeNames.join(", ")}`,
  "norm-groups": "a whole number of at least 1",
  "norm-order": "the paths of norms, with commas",
  "rotary-base": "a number above 1",
  segment: "a whole number of at least 0",
  "mask-token": "a token's id",
  epsilon: "a number of at least 0 and below 1",
  "embedding-scale": "1 or sqrt",
};

function choices(schema: z.ZodType): readonly string[] {
  return schema instanceof z.ZodEnum ? schema.options.map(String) : [];
}
