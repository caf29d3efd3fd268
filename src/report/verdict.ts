/** Whether a layer is worth its depth: the one rule behind every tint, count and sentence. */
import type { Baseline, LayerReport } from "../diagnosis/report";

export type Verdict = "free" | "needed" | "uncertain";

/**
 * *Free* when the upper 95% bound of the removal's perplexity increase, exp(ΔNLL + 1.96·SE) − 1, is
 * below the threshold; *needed* when the lower bound is above it; else *uncertain*. Undefined where
 * there is nothing to judge by.
 */
export function verdictOf(
  layer: LayerReport,
  baseline: Baseline | undefined,
  threshold = 0.01,
): Verdict | undefined {
  if (layer.pruning === undefined || baseline === undefined) return undefined;
  const { deltaNll, standardError } = layer.pruning;
  if (Math.exp(deltaNll + 1.96 * standardError) - 1 < threshold) return "free";
  if (Math.exp(deltaNll - 1.96 * standardError) - 1 > threshold) return "needed";
  return "uncertain";
}
