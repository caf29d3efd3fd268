/** What a comparison found, in plain sentences that cite their numbers. */
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
import { figure, interval, signedWithInterval, withInterval, z95 } from "./format";
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
  return first === layers - 1 ? `layer ${first}` : `layers ${first}–${layers - 1}`;
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
  const { opening, figure: write, unit } = wordings[headline];
  const halves = [...new Set(reports.map(deepLayers))];
  // The deep halves of models of different depth are different layers.
  const which = halves.length === 1 ? ` (${halves[0]!})` : "";
  const all = reports.map((report) => report[headline]);
  return `${opening(which, all)} ${listed([`${write(own)}${unit} in ${base.name}`, ...others])}.`;
}

interface Wording {
  opening: (deepLayers: string, own: readonly (Figure | Absent)[]) => string;
  figure: (own: Figure) => string;
  /** Said once, after the first figure. */
  unit: string;
  /** How the other's figure stands to the reference's. */
  difference: (difference: Difference) => string;
}

const wordings: Readonly<Record<Headline, Wording>> = {
  growth: {
    opening: (_, own) =>
      own.every((one) => isAbsent(one) || one.value >= 0)
        ? "From the first to the last layer, variance grows"
        : "From the first to the last layer, variance changes",
    figure: ({ value }) => `${figure(Math.exp(value))}-fold`,
    unit: "",
    difference: ({ difference, standardError }) => {
      const { value, error } = factor(difference, standardError);
      return `${value} ± ${error} as much`;
    },
  },
  deepRemoval: {
    opening: (layers) => `Removing one layer of the deep half${layers} costs on average`,
    figure: ({ value, standardError }) => signedWithInterval(value, standardError),
    unit: " nats per token",
    difference: (difference) => lessOrMore(difference, "less", "more"),
  },
  deepDistance: {
    opening: (layers) => `The Jacobian-to-identity distance of the deep half${layers} averages`,
    figure: ({ value, standardError }) => withInterval(value, standardError),
    unit: "",
    difference: (difference) => lessOrMore(difference, "smaller", "larger"),
  },
  baselineNll: {
    opening: () => "The loss of the whole model is",
    figure: ({ value }) => figure(value),
    unit: " nats per token",
    difference: (difference) => lessOrMore(difference, "lower", "higher"),
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
  const { figure: write, difference } = wordings[headline];
  const doubt = compared.significance === "none" ? ", not told apart" : "";
  return `${write(own)} in ${report.name} (${difference(compared)}${doubt})`;
}

function lessOrMore({ difference, standardError }: Difference, less: string, more: string): string {
  return `${withInterval(Math.abs(difference), standardError)} ${difference < 0 ? less : more}`;
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
    return [`the ${figureNames[name]} of ${found} of ${tested.length} layers`];
  });
  if (counts.length === 0) return undefined;
  const { reports, reference, falseDiscoveryRate } = comparison;
  return (
    `${reports[report]!.name} differs from ${reports[reference]!.name} in ${listed(counts)} ` +
    `(false discovery rate ${falseDiscoveryRate * 100}%).`
  );
}

export const figureNames: Readonly<Record<LayerFigure, string>> = {
  variance: "output variance",
  distance: "Jacobian-to-identity distance",
  removal: "pruning sensitivity",
};

function listed(parts: readonly string[]): string {
  const last = parts.at(-1) ?? "";
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(", ")} and ${last}`;
}
