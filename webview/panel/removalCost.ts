/** What a removal costs, in as many digits as its verdict needs. */
import { t } from "@vscode/l10n";
import type { Baseline, PruningSensitivity, RemovalCost } from "../../src/diagnosis/report";
import { absent, costBounds, interval, signedFigure, z95 } from "../../src/report/format";
import { freeThreshold, type Verdict } from "../../src/report/verdict";

export interface WrittenCost {
  /** In percent, or, from +1000% on, the factor. */
  value: string;
  /** Half-width of the 95% interval, in the same unit. */
  error: string;
  /** Nobody reads a percentage of four digits: `×51`, not `+5000`. */
  isFactor: boolean;
}

/**
 * exp(ΔNLL) − 1 with two digits of its interval, and more where the verdict would not be seen from
 * two: +2% (±1) could be a needed layer or an uncertain one.
 */
export function writtenCost(cost: RemovalCost): WrittenCost {
  const ratio = Math.exp(cost.deltaNll);
  if (!Number.isFinite(ratio)) return { value: absent, error: "?", isFactor: false };
  const [lower, upper] = costBounds(cost);
  const halfWidth = (upper - lower) / 2;
  if (ratio >= 11) {
    const error = cost.standardError === undefined ? undefined : halfWidth / z95;
    const written = interval(ratio, error);
    return { value: `×${written.value}`, error: written.error, isFactor: true };
  }
  const percent = 100 * (ratio - 1);
  if (cost.standardError === undefined)
    return { value: signedFigure(percent), error: "?", isFactor: false };
  if (!(halfWidth > 0) || !Number.isFinite(halfWidth))
    return { value: signedFigure(percent), error: halfWidth > 0 ? "?" : "0", isFactor: false };
  const decided = sideOf(100 * (lower - 1), 100 * (upper - 1));
  const error = 100 * halfWidth;
  const fewest = Math.min(4, Math.max(0, 1 - Math.floor(Math.log10(error))));
  for (let decimals = fewest; decimals <= fewest + 2; decimals++) {
    const [shown, reach] = [Number(percent.toFixed(decimals)), Number(error.toFixed(decimals))];
    if (sideOf(shown - reach, shown + reach) === decided) return percentage(shown, reach, decimals);
  }
  // The bounds lie unevenly about the figure: what decides is how far the one by the threshold is.
  const isAbove = percent > 100 * freeThreshold;
  const deciding = 100 * (isAbove ? ratio - lower : upper - ratio);
  return percentage(percent, deciding, fewest + 2);
}

/**
 * `Removing layer 7 costs +0.30% perplexity (±0.12)`, `… improves perplexity by 0.30% (±0.12)` or
 * `… multiplies perplexity by 51 (±26)`.
 *
 * @param removal what is removed, as the subject of the sentence
 */
export function costSentence(removal: string, cost: RemovalCost): string {
  const { value, error, isFactor } = writtenCost(cost);
  if (isFactor) return t("{0} multiplies perplexity by {1} (±{2})", removal, value.slice(1), error);
  return value.startsWith("−")
    ? t("{0} improves perplexity by {1}% (±{2})", removal, value.slice(1), error)
    : t("{0} costs {1}% perplexity (±{2})", removal, value, error);
}

/** The perplexity difference, for the baseline as it was measured. */
export function writtenDifference(
  pruning: PruningSensitivity,
  baseline: Baseline | undefined,
): { value: string; error?: string } | undefined {
  const { deltaPerplexity, standardError } = pruning;
  if (deltaPerplexity === undefined) return undefined;
  const perplexity = baseline?.perplexity;
  if (perplexity === undefined || standardError === undefined)
    return { value: signedFigure(deltaPerplexity) };
  const [lower, upper] = costBounds(pruning);
  const written = interval(deltaPerplexity, (perplexity * (upper - lower)) / 2 / z95);
  return { ...written, value: withPlus(deltaPerplexity, written.value) };
}

/** The verdict rule on an interval in percent. */
function sideOf(lower: number, upper: number): Verdict {
  if (upper < 100 * freeThreshold) return "free";
  return lower > 100 * freeThreshold ? "needed" : "uncertain";
}

function percentage(percent: number, error: number, decimals: number): WrittenCost {
  const text = Math.abs(percent).toFixed(decimals);
  // A rounded-away negative is zero, not "−0.00".
  const sign = Number(text) === 0 ? "" : percent < 0 ? "−" : "+";
  return { value: `${sign}${text}`, error: error.toFixed(decimals), isFactor: false };
}

function withPlus(value: number, text: string): string {
  return value > 0 ? `+${text}` : text;
}
