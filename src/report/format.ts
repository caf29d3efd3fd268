/**
 * How figures are written, the same in the panel, the exported page and the terminal: three
 * significant digits, a true minus sign, and 95% intervals after ±.
 */
import { t } from "@vscode/l10n";
import { isSchemeName, schemes } from "../architecture/schemes";
import type { ArchitectureSummary, RemovalCost } from "../diagnosis/report";
import { english, languageInUse } from "./texts";

/** Half-width of a 95% interval, in standard errors. */
export const z95 = 1.96;

/** What stands where a figure is absent. */
export const absent = "–";

/** A figure with three significant digits: `0.0123`, `34.2`, `812`, `1.24×10⁵`. One that is not finite is absent. */
export function figure(value: number): string {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return absent;
  const exponent = exponentOf(value);
  if (exponent < -4 || exponent > 4) return scientific(value, 2);
  return fixed(value, Math.max(0, 2 - exponent));
}

/** A difference: as `figure`, with its sign. */
export function signedFigure(value: number): string {
  return withPlus(value, figure(value));
}

/** What stands for the half-width of an interval that cannot be estimated. */
const unknownError = "?";

/** A figure and the half-width of its 95% interval, cut at the digit where the interval begins. */
export function interval(
  value: number,
  standardError: number | undefined,
): { value: string; error: string } {
  if (standardError === undefined) return { value: figure(value), error: unknownError };
  const error = z95 * standardError;
  if (!Number.isFinite(value)) return { value: figure(value), error: unknownError };
  if (!Number.isFinite(error)) return { value: figure(value), error: unknownError };
  if (!(error > 0)) return { value: figure(value), error: figure(0) };
  const exponent = value === 0 ? exponentOf(error) : exponentOf(value);
  if (Math.max(exponent, exponentOf(error)) > 4 || Math.max(exponent, exponentOf(error)) < -4)
    return { value: scientific(value, 2), error: scientific(error, 1) };
  // Two digits of the interval, but never fewer than one nor more than four of the figure.
  const decimals = Math.max(0, Math.min(1 - exponentOf(error), 3 - exponent));
  const shownError = Number(error.toFixed(decimals)) > 0 ? fixed(error, decimals) : figure(error);
  return { value: fixed(value, decimals), error: shownError };
}

/** `34.2 ± 1.1` */
export function withInterval(value: number, standardError: number | undefined): string {
  if (!Number.isFinite(value)) return absent;
  const written = interval(value, standardError);
  return `${written.value} ± ${written.error}`;
}

/** `+0.034 ± 0.012` */
export function signedWithInterval(value: number, standardError: number | undefined): string {
  return withPlus(value, withInterval(value, standardError));
}

/**
 * What a removal does to perplexity, exp(ΔNLL) − 1: `+0.3% (±0.1)`; from +1000% on, `×24.8 (±0.9)`,
 * because nobody reads a percentage of four digits.
 */
export function perplexityCost(cost: RemovalCost): string {
  const ratio = Math.exp(cost.deltaNll);
  if (!Number.isFinite(ratio)) return absent;
  if (cost.standardError === undefined) {
    const known =
      ratio >= 11
        ? `×${figure(ratio)}`
        : `${signedFigure(Number(((ratio - 1) * 100).toPrecision(3)))}%`;
    return `${known} (±${unknownError})`;
  }
  const [lower, upper] = costBounds(cost);
  const halfWidth = (upper - lower) / 2;
  if (ratio >= 11) {
    const written = interval(ratio, halfWidth / z95);
    return `×${written.value} (±${written.error})`;
  }
  const percent = (ratio - 1) * 100;
  if (!Number.isFinite(halfWidth))
    return `${signedFigure(Number(percent.toPrecision(3)))}% (±${unknownError})`;
  const error = halfWidth * 100;
  // One digit of the interval is enough here, and 0.95 still rounds to one.
  const decimals = error > 0 ? Math.max(0, Math.min(3, Math.ceil(-Math.log10(error / 0.95)))) : 1;
  return `${withPlus(percent, fixed(percent, decimals))}% (±${fixed(error, decimals)})`;
}

/** Bounds of the 95% interval of what a removal multiplies perplexity by. */
export function costBounds({ deltaNll, standardError }: RemovalCost): [number, number] {
  if (standardError === undefined) return [0, Infinity];
  return [Math.exp(deltaNll - z95 * standardError), Math.exp(deltaNll + z95 * standardError)];
}

/** `13.5 GB`, in powers of ten as disks are sold. */
export function bytes(count: number): string {
  const { digits, step } = scaled(count, byteUnits.length);
  return `${digits} ${byteUnits[step]!}`;
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** `6.74 billion`, `134 million`, `9,216` */
export function largeCount(count: number): string {
  if (count < 1e6) return wholeNumber(count);
  const { digits, step } = scaled(count / 1e6, largeUnits.length);
  return largeUnits[step]!(digits);
}

const largeUnits = [
  (digits: string) => t("{0} million", digits),
  (digits: string) => t("{0} billion", digits),
  (digits: string) => t("{0} trillion", digits),
] as const;

/** `6.74 billion parameters` */
export function parameterCount(count: number): string {
  return t("{0} parameters", largeCount(count));
}

/** `65,536` */
export function wholeNumber(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 document`, `128 documents` */
export function counted(count: number, noun: Noun): string {
  const { one, many } = nouns[noun];
  return (count === 1 ? one : many)(wholeNumber(count));
}

/** `2 of 8 documents` */
export function countedOf(some: number, all: number, noun: Noun): string {
  return t("{0} of {1}", wholeNumber(some), counted(all, noun));
}

export type Noun = keyof typeof nouns;

/** What is counted, whole with its number: languages differ in what a number does to a noun. */
const nouns = {
  checkpoint: {
    one: (count: string) => t("{0} checkpoint", count),
    many: (count: string) => t("{0} checkpoints", count),
  },
  document: {
    one: (count: string) => t("{0} document", count),
    many: (count: string) => t("{0} documents", count),
  },
  file: {
    one: (count: string) => t("{0} file", count),
    many: (count: string) => t("{0} files", count),
  },
  head: {
    one: (count: string) => t("{0} head", count),
    many: (count: string) => t("{0} heads", count),
  },
  image: {
    one: (count: string) => t("{0} image", count),
    many: (count: string) => t("{0} images", count),
  },
  "key-value head": {
    one: (count: string) => t("{0} key-value head", count),
    many: (count: string) => t("{0} key-value heads", count),
  },
  layer: {
    one: (count: string) => t("{0} layer", count),
    many: (count: string) => t("{0} layers", count),
  },
  "Rademacher probe": {
    one: (count: string) => t("{0} Rademacher probe", count),
    many: (count: string) => t("{0} Rademacher probes", count),
  },
  reading: {
    one: (count: string) => t("{0} reading", count),
    many: (count: string) => t("{0} readings", count),
  },
  report: {
    one: (count: string) => t("{0} report", count),
    many: (count: string) => t("{0} reports", count),
  },
  sequence: {
    one: (count: string) => t("{0} sequence", count),
    many: (count: string) => t("{0} sequences", count),
  },
  tensor: {
    one: (count: string) => t("{0} tensor", count),
    many: (count: string) => t("{0} tensors", count),
  },
  thread: {
    one: (count: string) => t("{0} thread", count),
    many: (count: string) => t("{0} threads", count),
  },
  token: {
    one: (count: string) => t("{0} token", count),
    many: (count: string) => t("{0} tokens", count),
  },
} as const;

/** `4.2 s`, `3 min 12 s`, `1 h 5 min` */
export function duration(seconds: number): string {
  if (seconds < 9.95) return t("{0} s", seconds.toFixed(1));
  const whole = Math.round(seconds);
  if (whole < 60) return t("{0} s", whole);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return whole % 60 === 0 ? t("{0} min", minutes) : t("{0} min {1} s", minutes, whole % 60);
  }
  return minutes % 60 === 0
    ? t("{0} h", Math.floor(minutes / 60))
    : t("{0} h {1} min", Math.floor(minutes / 60), minutes % 60);
}

/** `22 Nov 2026, 08:57`, in the reader's time zone. @param time as ISO 8601 */
export function dateTime(time: string): string {
  const locale = languageInUse() === english ? "en-GB" : languageInUse();
  return new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(
    new Date(time),
  );
}

/** Layer indices as a person writes them: `0, 3–5 and 11`. */
export function layerList(layers: readonly number[]): string {
  const sorted = [...new Set(layers)].sort((a, b) => a - b);
  const runs: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (end + 1 < sorted.length && sorted[end + 1] === sorted[end]! + 1) end++;
    if (end - i >= 2) runs.push(`${sorted[i]!}–${sorted[end]!}`);
    else for (let j = i; j <= end; j++) runs.push(String(sorted[j]!));
    i = end + 1;
  }
  return listed(runs);
}

/** `a, b and c` */
export function listed(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : t("{0} and {1}", parts.slice(0, -1).join(", "), last);
}

/** `layer 3`, `layers 0, 3–5 and 11` */
export function namedLayers(layers: readonly number[]): string {
  return layers.length === 1
    ? t("layer {0}", layerList(layers))
    : t("layers {0}", layerList(layers));
}

/** How a norm scheme is written in the field; unknown schemes keep their own name. */
export function schemeName(scheme: string): string {
  return isSchemeName(scheme) ? schemes[scheme].title : scheme;
}

/** How a model family is written in the field; unknown families keep their own name. */
export function familyName(family: string): string {
  if (family.toLowerCase() === "inferred") return t("transformer of its own");
  return familyNames.get(family.toLowerCase()) ?? family;
}

/** `32 layers`, `12 layers of the decoder` */
export function layersText({
  layers,
  stack,
}: Pick<ArchitectureSummary, "layers" | "stack">): string {
  const count = counted(layers, "layer");
  if (stack === undefined) return count;
  return stack === "encoder" ? t("{0} of the encoder", count) : t("{0} of the decoder", count);
}

/** The file or folder name at the end of a path, whichever slashes it has. */
export function baseName(path: string): string {
  return /[^/\\]+(?=[/\\]*$)/.exec(path)?.[0] ?? path;
}

const familyNames = new Map([
  ["llama", "LLaMA"],
  ["mistral", "Mistral"],
  ["qwen2", "Qwen2"],
  ["qwen3", "Qwen3"],
  ["deepseek-llm", "DeepSeek-LLM"],
  ["gpt2", "GPT-2"],
  ["nanogpt", "nanoGPT"],
  ["mingpt", "minGPT"],
  ["gpt-bigcode", "GPT-BigCode"],
  ["gpt-neo", "GPT-Neo"],
  ["gpt-neox", "GPT-NeoX"],
  ["gpt-j", "GPT-J"],
  ["opt", "OPT"],
  ["bloom", "BLOOM"],
  ["mpt", "MPT"],
  ["falcon", "Falcon"],
  ["phi", "Phi"],
  ["phi3", "Phi-3"],
  ["starcoder2", "StarCoder2"],
  ["stablelm", "StableLM"],
  ["qwen", "Qwen"],
  ["deepseek-v2", "DeepSeek-V2"],
  ["deepseek-v3", "DeepSeek-V3"],
  ["gemma", "Gemma"],
  ["gemma2", "Gemma 2"],
  ["gemma3", "Gemma 3"],
  ["mixtral", "Mixtral"],
  ["olmo", "OLMo"],
  ["olmo2", "OLMo 2"],
  ["olmo3", "OLMo 3"],
  ["olmo-core", "OLMo-core"],
  ["qwen2-moe", "Qwen2-MoE"],
  ["qwen3-moe", "Qwen3-MoE"],
  ["bert", "BERT"],
  ["roberta", "RoBERTa"],
  ["distilbert", "DistilBERT"],
  ["albert", "ALBERT"],
  ["electra", "ELECTRA"],
  ["t5", "T5"],
  ["vit", "ViT"],
  ["deit", "DeiT"],
  ["timm-vit", "ViT (timm)"],
]);

/** Power of ten of the leading digit. */
function exponentOf(value: number): number {
  return Math.floor(Math.log10(Math.abs(value)));
}

function fixed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  const whole = text.split(".");
  if (whole[0]!.length > 4) whole[0] = wholeNumber(Number(whole[0]));
  // A rounded-away negative is zero, not "−0.00".
  return (value < 0 && Number(text) !== 0 ? "−" : "") + whole.join(".");
}

function scientific(value: number, decimals: number): string {
  if (value === 0) return "0";
  const [mantissa, exponent] = Math.abs(value).toExponential(decimals).split("e");
  const raised = String(Number(exponent)).replace(/[-\d]/g, (sign) => superscripts[sign] ?? sign);
  return `${value < 0 ? "−" : ""}${mantissa!}×10${raised}`;
}

const superscripts: Readonly<Record<string, string>> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

function withPlus(value: number, text: string): string {
  return value > 0 && Number.isFinite(value) ? `+${text}` : text;
}

/** Three digits of a count in thousands of thousands, and how many times a thousand: below `units`. */
function scaled(count: number, units: number): { digits: string; step: number } {
  let step = 0;
  let rest = count;
  // 999.5 would round to a fourth digit.
  while (rest >= 999.5 && step < units - 1) {
    rest /= 1000;
    step++;
  }
  return { digits: step === 0 && Number.isInteger(rest) ? String(rest) : threeDigits(rest), step };
}

function threeDigits(value: number): string {
  if (value >= 99.95) return String(Math.round(value));
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
