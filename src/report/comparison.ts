/**
 * What tells two or more reports apart: for every layer and figure the difference to a reference, its
 * standard error, and whether it is more than chance among all the differences of the table.
 *
 * A difference is the other's figure less the reference's; of variances, whose changes are factors,
 * it is that of their natural logarithms. Where both reports measured the same documents and state
 * each one's figures, the error is that of the paired differences, √(D/(D−1) Σ (u_n − u′_n)²) with
 * the influences of src/report/linearEstimate.ts; else the two are taken for independent,
 * √(SE² + SE′²). A p value is that of Student's t with D − 1 degrees of freedom (Welch's where the
 * two are independent), for a few documents do not know their own spread.
 */
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";
import {
  caveatsOf,
  differentTexts,
  pairingOf,
  tokensDiffer,
  type Pairing,
} from "./comparisonPairing";
import { deepDistanceOf, deepRemovalOf, growthOf } from "./headlineEstimates";
import {
  baselineNll,
  errorOfInfluences,
  identityDistance,
  isAbsent,
  logVariance,
  removalCost,
  type Absent,
  type LinearEstimate,
} from "./linearEstimate";
import { discoveryThreshold, twoSidedP } from "./significance";

/** A report under the name that the comparison calls it by. */
export interface NamedReport {
  name: string;
  report: Report;
}

export interface Comparison {
  schemaVersion: 1;
  /** Which of the reports the others are compared with. */
  reference: number;
  reports: ReportSummary[];
  /** One for each report but the reference, in the order of the reports. */
  contrasts: Contrast[];
  /** Benjamini and Hochberg's, over all differences of layers and of the baseline NLL. */
  falseDiscoveryRate: number;
  /** How many differences have a p value, over which the rate holds. */
  tests: number;
}

/** The headline figures of one report. */
export interface ReportSummary {
  name: string;
  path: string;
  layers: number;
  normScheme: string;
  parameters: number;
  baselineNll: Figure | Absent;
  /** log of the last layer's output variance over the first's. */
  growth: Figure | Absent;
  /** Mean ‖J − I‖/‖I‖ of the deep half. */
  deepDistance: Figure | Absent;
  /** Mean ΔNLL over the layers of the deep half, each removed alone. */
  deepRemoval: Figure | Absent;
}

export interface Figure {
  value: number;
  standardError?: number;
  /** The error is at most this: how the layers vary together is not known. */
  errorIsBound?: true;
}

/** One report against the reference. */
export interface Contrast {
  /** Index of the report. */
  report: number;
  pairing: Pairing;
  /** What a reader should know before believing a difference. */
  caveats: string[];
  baselineNll: Compared;
  growth: Compared;
  deepDistance: Compared;
  deepRemoval: Compared;
  /** As many as the deeper of the two has, matched by index. */
  layers: LayerContrast[];
}

export type LayerFigure = "variance" | "distance" | "removal";
export const layerFigures: readonly LayerFigure[] = ["variance", "distance", "removal"];

export interface LayerContrast extends Record<LayerFigure, Compared> {
  index: number;
}

export type Compared = Difference | Absent;

export interface Difference {
  /** Of variance and its growth, natural logarithms. */
  reference: number;
  other: number;
  /** other − reference */
  difference: number;
  standardError?: number;
  errorIsBound?: true;
  isPaired: boolean;
  p?: number;
  /**
   * `significant` at the false discovery rate over the table; `alone` where only its own 95% interval
   * leaves out zero; headline figures, which are few and fixed, are `significant` on their own.
   */
  significance?: "significant" | "alone" | "none";
}

export const mostReports = 6;
export const falseDiscoveryRate = 0.05;

/** @param reference index of the report that the others are compared with */
export function compareReports(reports: readonly NamedReport[], reference = 0): Comparison {
  const base = reports[reference];
  if (base === undefined) throw new RangeError(`There is no report ${reference} to compare with.`);
  const contrasts = reports.flatMap(({ report }, index) =>
    index === reference ? [] : [contrastOf(base.report, report, index)],
  );
  const tests = markDiscoveries(contrasts);
  return {
    schemaVersion: 1,
    reference,
    reports: reports.map(summaryOf),
    contrasts,
    falseDiscoveryRate,
    tests,
  };
}

export function isDifference(compared: Compared): compared is Difference {
  return !isAbsent(compared);
}

function contrastOf(reference: Report, other: Report, index: number): Contrast {
  const pairing = pairingOf(reference, other);
  const compare = (figure: (report: Report) => LinearEstimate | Absent): Compared =>
    differenceOf(figure(reference), figure(other), pairing.isPaired);
  const perToken = tokensDiffer(reference, other);
  const otherTexts = differentTexts(reference, other, pairing);
  const costs = (figure: (report: Report) => LinearEstimate | Absent): Compared =>
    perToken === undefined ? compare(figure) : { reason: perToken };
  const count = Math.max(reference.architecture.layers, other.architecture.layers);
  return {
    report: index,
    pairing,
    caveats: caveatsOf(reference, other, otherTexts),
    baselineNll:
      otherTexts === undefined
        ? costs(baselineNll)
        : { reason: t("they were measured on different text: {0} and {1}", ...otherTexts) },
    growth: decided(compare(growthOf)),
    deepDistance: decided(compare(deepDistanceOf)),
    deepRemoval: decided(costs(deepRemovalOf)),
    layers: Array.from({ length: count }, (_, layer): LayerContrast => {
      const missing = withoutCounterpart(reference, other, layer);
      if (missing) return { index: layer, variance: missing, distance: missing, removal: missing };
      return {
        index: layer,
        variance: compare((report) => logVariance(report, layer)),
        distance: compare((report) => identityDistance(report, layer)),
        removal: costs((report) => removalCost(report, layer)),
      };
    }),
  };
}

function withoutCounterpart(reference: Report, other: Report, layer: number): Absent | undefined {
  const [a, b] = [reference.architecture.layers, other.architecture.layers];
  if (layer < Math.min(a, b)) return undefined;
  return {
    reason:
      a < b
        ? t("no counterpart: the reference has {0} layers", a)
        : t("no counterpart: the other has {0} layers", b),
  };
}

function differenceOf(
  reference: LinearEstimate | Absent,
  other: LinearEstimate | Absent,
  isPairing: boolean,
): Compared {
  if (isAbsent(reference)) return { reason: t("reference: {0}", reference.reason) };
  if (isAbsent(other)) return other;
  const figures = {
    reference: reference.value,
    other: other.value,
    difference: other.value - reference.value,
  };
  const [a, b] = [reference.influences, other.influences];
  if (isPairing && a !== undefined && a.length === b?.length) {
    const standardError = errorOfInfluences(b.map((one, n) => one - a[n]!));
    const p = pValue(figures, standardError, a.length - 1);
    return { ...figures, standardError, isPaired: true, p };
  }
  const errors = [reference.standardError, other.standardError];
  const [errorA, errorB] = errors;
  if (errorA === undefined || errorB === undefined) return { ...figures, isPaired: false };
  const standardError = Math.hypot(errorA, errorB);
  const isBound = reference.isBound === true || other.isBound === true;
  return {
    ...figures,
    standardError,
    ...(isBound && { errorIsBound: true as const }),
    isPaired: false,
    p: pValue(
      figures,
      standardError,
      welchDegrees([errorA, reference.degrees], [errorB, other.degrees]),
    ),
  };
}

/** Figures are computed in fp32 and stated to seven digits: less than this is rounding. */
const resolution = 1e-6;

function pValue(
  { reference, other, difference }: Pick<Difference, "reference" | "other" | "difference">,
  standardError: number,
  degrees: number,
): number {
  const size = Math.max(1, Math.abs(reference), Math.abs(other));
  if (Math.abs(difference) <= resolution * size) return 1;
  return twoSidedP(difference / standardError, degrees);
}

/** (SE₁² + SE₂²)² / (SE₁⁴/ν₁ + SE₂⁴/ν₂), by Welch and Satterthwaite. */
function welchDegrees(...terms: readonly [standardError: number, degrees: number][]): number {
  // Errors relative to the largest: their fourth powers would underflow.
  const largest = Math.max(...terms.map(([error]) => error));
  if (largest === 0) return Math.min(...terms.map(([, degrees]) => degrees));
  const squares = terms.map(([error]) => (error / largest) ** 2);
  const sum = squares.reduce((total, square) => total + square, 0);
  const spread = squares.reduce((total, square, k) => total + square ** 2 / terms[k]![1], 0);
  return sum ** 2 / spread;
}

/** Marks the differences of all contrasts in place. @returns how many have a p value */
function markDiscoveries(contrasts: readonly Contrast[]): number {
  const tested = contrasts
    .flatMap(({ baselineNll: nll, layers }) => [
      nll,
      ...layers.flatMap((layer) => layerFigures.map((figure) => layer[figure])),
    ])
    .filter(isDifference)
    .filter((difference) => difference.p !== undefined);
  const pValues = tested.map(({ p }) => p!);
  const threshold = discoveryThreshold(pValues, falseDiscoveryRate);
  for (const difference of tested) {
    const isDiscovery = threshold !== undefined && difference.p! <= threshold;
    difference.significance = isDiscovery
      ? "significant"
      : difference.p! <= 0.05
        ? "alone"
        : "none";
  }
  return tested.length;
}

/** A headline difference stands for itself: 5%, with nothing to correct for. */
function decided(compared: Compared): Compared {
  if (!isDifference(compared) || compared.p === undefined) return compared;
  return { ...compared, significance: compared.p <= 0.05 ? "significant" : "none" };
}

function summaryOf({ name, report }: NamedReport): ReportSummary {
  const { checkpoint, architecture } = report;
  return {
    name,
    path: checkpoint.path,
    layers: architecture.layers,
    normScheme: architecture.normScheme,
    parameters: checkpoint.parameters,
    baselineNll: figureOf(baselineNll(report)),
    growth: figureOf(growthOf(report)),
    deepDistance: figureOf(deepDistanceOf(report)),
    deepRemoval: figureOf(deepRemovalOf(report)),
  };
}

function figureOf(estimate: LinearEstimate | Absent): Figure | Absent {
  if (isAbsent(estimate)) return estimate;
  const { value, standardError, isBound } = estimate;
  return {
    value,
    ...(standardError !== undefined && { standardError }),
    ...(isBound && { errorIsBound: true as const }),
  };
}
