/**
 * Figures of a report together with what each document contributes to them, so that what two reports
 * measured on the same documents can be subtracted document by document.
 *
 * To first order a figure is f ≈ E f + Σ_n u_n, with one influence u_n for each of D documents, and
 * its standard error over documents is √(D/(D−1) Σ u_n²): for a mean over tokens, u_n = (s_n −
 * mean·c_n) / Σ c_n, the ratio estimator of src/diagnosis/statistics.ts; for a function of a figure,
 * the influences are multiplied by its derivative (the delta method). The influences of a sum or a
 * difference are those of its terms, added or subtracted, so what the documents have in common
 * cancels.
 */
import { t } from "@vscode/l10n";
import type { LayerReport, Report } from "../diagnosis/report";

export interface LinearEstimate {
  readonly value: number;
  /** As the report states it, over documents, or over the tokens of a single one. */
  readonly standardError?: number;
  /** True where the error is only bounded from above. */
  readonly isBound?: true;
  /** Degrees of freedom of the error. */
  readonly degrees: number;
  /** One for each document that says something; absent without figures of at least two documents. */
  readonly influences?: readonly number[];
}

/** Why a report has no such figure. */
export interface Absent {
  readonly reason: string;
}

export function isAbsent(value: object): value is Absent {
  return "reason" in value;
}

/** √(D/(D−1) Σ u_n²) */
export function errorOfInfluences(influences: readonly number[]): number {
  const size = influences.length;
  return Math.sqrt((size / (size - 1)) * influences.reduce((sum, one) => sum + one * one, 0));
}

/** log σ² of a layer's output. */
export function logVariance(report: Report, index: number): LinearEstimate | Absent {
  const layer = layerAt(report, index);
  const statistics = layer?.outputVariance;
  if (statistics === undefined) return { reason: whyAbsent(report, layer, "variance") };
  const { mean, standardError } = statistics;
  if (!(mean > 0)) return { reason: t("a variance of 0 has no logarithm") };
  const { tokens } = report.documents ?? {};
  return transformed(
    estimate(report, mean, standardError, {
      means: report.documents?.layers[index]?.outputVariance,
      counts: tokens,
    }),
    Math.log(mean),
    1 / mean,
  );
}

/** ‖J − I‖_F / ‖I‖_F of a layer: the root of the sequences' mean square, each counting equally. */
export function identityDistance(report: Report, index: number): LinearEstimate | Absent {
  const layer = layerAt(report, index);
  const jacobian = layer?.jacobian;
  if (jacobian === undefined) return { reason: whyAbsent(report, layer, "jacobian") };
  const { identityDistance: distance, standardError } = jacobian;
  const squares = report.documents?.layers[index]?.squaredIdentityDistance;
  // An exact identity in every document: each influence is 0, and the root has no derivative there.
  const derivative = distance === 0 ? 0 : 1 / (2 * distance);
  const square = estimate(report, distance ** 2, undefined, {
    means: squares,
    counts: sequences(report),
  });
  return {
    ...transformed(square, distance, derivative),
    ...(standardError !== undefined && { standardError }),
  };
}

/** ΔNLL of a layer's removal, in nats per token. */
export function removalCost(report: Report, index: number): LinearEstimate | Absent {
  const layer = layerAt(report, index);
  const pruning = layer?.pruning;
  if (pruning === undefined) return { reason: whyAbsent(report, layer, "pruning") };
  return estimate(report, pruning.deltaNll, pruning.standardError, {
    means: report.documents?.layers[index]?.deltaNll,
    counts: predictedTokens(report),
  });
}

/** NLL of the whole model, in nats per token. */
export function baselineNll(report: Report): LinearEstimate | Absent {
  const { baseline, documents } = report;
  if (baseline === undefined) {
    return { reason: t("there is no language-model head, or its logits are not finite") };
  }
  return estimate(report, baseline.nll, baseline.standardError, {
    means: documents?.nll,
    counts: predictedTokens(report),
  });
}

/** Σ w_k f_k. Where the documents' figures are missing, its error is at most Σ |w_k| SE_k. */
export function combination(
  terms: readonly { weight: number; estimate: LinearEstimate }[],
): LinearEstimate {
  const value = terms.reduce((sum, { weight, estimate: { value } }) => sum + weight * value, 0);
  const degrees = Math.min(...terms.map((term) => term.estimate.degrees));
  const influences = sumOfInfluences(terms);
  if (influences !== undefined) {
    return { value, degrees, influences, standardError: errorOfInfluences(influences) };
  }
  const bound = terms.reduce<number | undefined>(
    (sum, { weight, estimate: { standardError } }) =>
      sum === undefined || standardError === undefined
        ? undefined
        : sum + Math.abs(weight) * standardError,
    0,
  );
  return { value, degrees, ...(bound !== undefined && { standardError: bound, isBound: true }) };
}

function sumOfInfluences(
  terms: readonly { weight: number; estimate: LinearEstimate }[],
): number[] | undefined {
  const all = terms.map((term) => term.estimate.influences);
  const size = all[0]?.length;
  if (size === undefined || all.some((one) => one?.length !== size)) return undefined;
  return Array.from({ length: size }, (_, n) =>
    terms.reduce((sum, { weight }, k) => sum + weight * all[k]![n]!, 0),
  );
}

function estimate(
  report: Report,
  value: number,
  standardError: number | undefined,
  { means, counts }: { means: readonly number[] | undefined; counts: number[] | undefined },
): LinearEstimate {
  const influences = means && counts && influencesOfMean(means, counts);
  const { documents, tokens } = report.evaluation;
  return {
    value,
    degrees: influences
      ? influences.length - 1
      : Math.max(1, (documents > 1 ? documents : tokens) - 1),
    ...(standardError !== undefined && { standardError }),
    ...(influences && { influences }),
  };
}

/** u_n = c_n (m_n − mean) / Σ c_n over the documents with any; absent for fewer than two. */
function influencesOfMean(
  means: readonly number[],
  counts: readonly number[],
): number[] | undefined {
  const known = means
    .map((mean, n) => ({ mean, count: counts[n] ?? 0 }))
    .filter(({ count }) => count > 0);
  if (means.length !== counts.length || known.length < 2) return undefined;
  const total = known.reduce((sum, { count }) => sum + count, 0);
  const mean = known.reduce((sum, one) => sum + one.mean * one.count, 0) / total;
  return known.map((one) => (one.count * (one.mean - mean)) / total);
}

/** The figure f(x) from x, given f(x) and f′(x). */
function transformed(from: LinearEstimate, value: number, derivative: number): LinearEstimate {
  const { standardError, influences } = from;
  return {
    ...from,
    value,
    ...(standardError !== undefined && { standardError: Math.abs(derivative) * standardError }),
    ...(influences && { influences: influences.map((one) => derivative * one) }),
  };
}

/** Of each document: where nothing else is said it is one sequence, whose first token is not predicted. */
function predictedTokens({ documents }: Report): number[] | undefined {
  return documents?.predictions ?? documents?.tokens.map((count) => Math.max(0, count - 1));
}

/** In how many sequences each document was evaluated: each has one token that is not predicted. */
function sequences({ documents }: Report): number[] | undefined {
  return documents?.tokens.map((count, n) => count - (documents.predictions?.[n] ?? count - 1));
}

function layerAt(report: Report, index: number): LayerReport | undefined {
  return report.layers.find((layer) => layer.index === index);
}

function whyAbsent(
  report: Report,
  layer: LayerReport | undefined,
  metric: "variance" | "jacobian" | "pruning",
): string {
  if (!report.evaluation.metrics.includes(metric)) return t("not asked for");
  return layer?.unmeasured?.find((entry) => entry.metric === metric)?.reason ?? t("not measured");
}
