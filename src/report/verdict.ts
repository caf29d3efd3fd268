/** Whether a layer is worth its depth: the one rule behind every tint, count and sentence. */
import { t } from "@vscode/l10n";
import type { Baseline, LayerReport } from "../diagnosis/report";
import { costBounds } from "./format";

export type Verdict = "free" | "needed" | "uncertain";

/** Increase of perplexity below which a layer's removal is called free. */
export const freeThreshold = 0.01;

/**
 * *Free* when the upper 95% bound of the removal's perplexity increase, exp(ΔNLL + 1.96·SE) − 1, is
 * below the threshold; *needed* when the lower bound is above it; else *uncertain*. Undefined where
 * there is nothing to judge by.
 */
export function verdictOf(
  layer: LayerReport,
  baseline: Baseline | undefined,
  threshold = freeThreshold,
): Verdict | undefined {
  if (layer.pruning === undefined || baseline === undefined) return undefined;
  const [lower, upper] = costBounds(layer.pruning);
  if (upper - 1 < threshold) return "free";
  if (lower - 1 > threshold) return "needed";
  return "uncertain";
}

/** The verdict as a word. */
export function verdictName(verdict: Verdict): string {
  switch (verdict) {
    case "free":
      return t("free");
    case "needed":
      return t("needed");
    case "uncertain":
      return t("uncertain");
  }
}

/** `18 needed`: of how many layers it is the verdict. */
export function verdictCount(verdict: Verdict, count: number): string {
  switch (verdict) {
    case "free":
      return t("{0} free", count);
    case "needed":
      return t("{0} needed", count);
    case "uncertain":
      return t("{0} uncertain", count);
  }
}
