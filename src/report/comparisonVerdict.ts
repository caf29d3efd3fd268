/** What a comparison found, in plain sentences that cite their numbers. */
import { t } from "@vscode/l10n";
import {
  isDifference,
  layerFigures,
  type Compared,
  type Comparison,
  type Contrast,
  type Difference,
  type Figure,
  type LayerFigure,
  type ReportSummary,
} from "./comparison";
import { figure, interval, listed, signedWithInterval, withInterval, z95 } from "./format";
import { isAbsent, type Absent } from "./linearEstimate";

/** The headline figures that every report has one of. */
export const headlines = ["growth", "deepRemoval", "deepDistance", "baselineNll"] as const;
export type Headline = (typeof headlines)[number];

/** Growth, cost of the deep half, its Jacobians, loss, and how many layers differ; what is known of them. */
export function comparisonSentences(comparison: Comparison): string[] {
  const sentences = headlines.map((headline) => headlineSentence(comparison, headline));
  return [
    ...sentences,
    ...comparison.contrasts.map((contrast) => countSentence(comparison, contrast)),
  ].filter((sentence) => sentence !== undefined);
}

/** A factor from its logarithm, with the half-width of its 95% interval: `×0.69`, `0.03`. */
export function factor(
  logarithm: number,
  standardError: number | undefined,
): { value: string; error: string } {
  const value = Math.exp(logarithm);
  if (standardError === undefined) {
    const { value: text, error } = interval(value, undefined);
    return { value: `×${text}`, error };
  }
  const upper = Math.exp(logarithm + z95 * standardError);
  const lower = Math.exp(logarithm - z95 * standardError);
  const written = interval(value, (upper - lower) / (2 * z95));
  return { value: `×${written.value}`, error: written.error };
}

/** `layers 8–15`, or `layer 1` */
export function deepLayers({ layers }: Pick<ReportSummary, "layers">): string {
  const first = Math.floor(layers / 2);
  return first === layers - 1 ? t("layer {0}", first) : t("layers {0}", `${first}–${layers - 1}`);
}

function headlineSentence(comparison: Comparison, headline: Headline): string | undefined {
  const { reports, reference, contrasts } = comparison;
  const base = reports[reference]!;
  const own = base[headline];
  const others = contrasts.flatMap((contrast) => {
    const clause = clauseOf(reports[contrast.report]!, contrast[headline], headline);
    return clause === undefined ? [] : [clause];
  });
  if (isAbsent(own) || others.length === 0) return undefined;
  const { sentence, reference: write } = wordings[headline];
  const halves = [...new Set(reports.map(deepLayers))];
  // The deep halves of models of different depth are different layers.
  const which = halves.length === 1 ? halves[0] : undefined;
  const all = reports.map((report) => report[headline]);
  return sentence(listed([write(own, base.name), ...others]), which, all);
}

interface Wording {
  /** @param figures those of all reports, as the reference and the others write them */
  sentence: (
    figures: string,
    deepLayers: string | undefined,
    own: readonly (Figure | Absent)[],
  ) => string;
  /** The reference's figure with its unit, which is said once, and its name. */
  reference: (own: Figure, name: string) => string;
  /** Another's figure with its name and how it stands to the reference's. */
  other: (own: Figure, name: string, difference: string) => string;
  /** How the other's figure stands to the reference's. */
  difference: (difference: Difference) => string;
}

const wordings: Readonly<Record<Headline, Wording>> = {
  growth: {
    sentence: (figures, _, own) =>
      own.every((one) => isAbsent(one) || one.value >= 0)
        ? t("From the first to the last layer, variance grows {0}.", figures)
        : t("From the first to the last layer, variance changes {0}.", figures),
    reference: ({ value }, name) => t("{0}-fold in {1}", figure(Math.exp(value)), name),
    other: ({ value }, name, difference) =>
      t("{0}-fold in {1} ({2})", figure(Math.exp(value)), name, difference),
    difference: ({ difference, standardError }) => {
      const { value, error } = factor(difference, standardError);
      return t("{0} ± {1} as much", value, error);
    },
  },
  deepRemoval: {
    sentence: (figures, layers) =>
      layers === undefined
        ? t("Removing one layer of the deep half costs on average {0}.", figures)
        : t("Removing one layer of the deep half ({0}) costs on average {1}.", layers, figures),
    reference: ({ value, standardError }, name) =>
      t("{0} nats per token in {1}", signedWithInterval(value, standardError), name),
    other: ({ value, standardError }, name, difference) =>
      t("{0} in {1} ({2})", signedWithInterval(value, standardError), name, difference),
    difference: (difference) =>
      difference.difference < 0
        ? t("{0} less", sizeOf(difference))
        : t("{0} more", sizeOf(difference)),
  },
  deepDistance: {
    sentence: (figures, layers) =>
      layers === undefined
        ? t("The Jacobian-to-identity distance of the deep half averages {0}.", figures)
        : t(
            "The Jacobian-to-identity distance of the deep half ({0}) averages {1}.",
            layers,
            figures,
          ),
    reference: ({ value, standardError }, name) =>
      t("{0} in {1}", withInterval(value, standardError), name),
    other: ({ value, standardError }, name, difference) =>
      t("{0} in {1} ({2})", withInterval(value, standardError), name, difference),
    difference: (difference) =>
      difference.difference < 0
        ? t("{0} smaller", sizeOf(difference))
        : t("{0} larger", sizeOf(difference)),
  },
  baselineNll: {
    sentence: (figures) => t("The loss of the whole model is {0}.", figures),
    reference: ({ value }, name) => t("{0} nats per token in {1}", figure(value), name),
    other: ({ value }, name, difference) => t("{0} in {1} ({2})", figure(value), name, difference),
    difference: (difference) =>
      difference.difference < 0
        ? t("{0} lower", sizeOf(difference))
        : t("{0} higher", sizeOf(difference)),
  },
};

/** `7.62-fold in lns (×0.69 ± 0.03 as much)` */
function clauseOf(
  report: ReportSummary,
  compared: Compared,
  headline: Headline,
): string | undefined {
  const own: Figure | Absent = report[headline];
  if (isAbsent(own) || !isDifference(compared)) return undefined;
  const { other, difference } = wordings[headline];
  const told = difference(compared);
  const doubted = compared.significance === "none" ? t("{0}, not told apart", told) : told;
  return other(own, report.name, doubted);
}

function sizeOf({ difference, standardError }: Difference): string {
  return withInterval(Math.abs(difference), standardError);
}

/** In how many layers a report differs from the reference, figure by figure. */
function countSentence(comparison: Comparison, { report, layers }: Contrast): string | undefined {
  const counts = layerFigures.flatMap((name) => {
    const tested = layers
      .map((layer) => layer[name])
      .filter(isDifference)
      .filter(({ significance }) => significance !== undefined);
    if (tested.length === 0) return [];
    const found = tested.filter(({ significance }) => significance === "significant").length;
    return [layersThatDiffer[name](found, tested.length)];
  });
  if (counts.length === 0) return undefined;
  const { reports, reference, falseDiscoveryRate } = comparison;
  return t(
    "{0} differs from {1} in {2} (false discovery rate {3}%).",
    reports[report]!.name,
    reports[reference]!.name,
    listed(counts),
    falseDiscoveryRate * 100,
  );
}

const layersThatDiffer: Readonly<Record<LayerFigure, (some: number, all: number) => string>> = {
  variance: (some, all) => t("the output variance of {0} of {1} layers", some, all),
  distance: (some, all) => t("the Jacobian-to-identity distance of {0} of {1} layers", some, all),
  removal: (some, all) => t("the pruning sensitivity of {0} of {1} layers", some, all),
};
