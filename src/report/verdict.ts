/** Whether a layer is worth its depth: the one rule behind every tint, count and sentence. */
import type { Baseline, LayerReport, Report } from "../diagnosis/report";
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

/** The sentences that the report's findings are; notices are not among them. */
export function verdictSentences(report: Report | undefined): string[] {
  return (report?.findings ?? [])
    .filter((finding) => finding.kind !== "notice")
    .map((finding) => finding.text);
}
