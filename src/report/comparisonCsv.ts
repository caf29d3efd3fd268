/**
 * A comparison as CSV (RFC 4180), one row for each difference, so that it can be filtered by figure
 * and layer. Of variance and its growth, figures and differences are natural logarithms.
 */
import {
  isDifference,
  layerFigures,
  type Compared,
  type Comparison,
  type Contrast,
  type Difference,
} from "./comparison";
import { csvRow } from "./csv";

export const comparisonCsvColumns = [
  "reference",
  "other",
  "figure",
  "layer",
  "referenceValue",
  "otherValue",
  "difference",
  "standardError",
  "paired",
  "p",
  "significance",
  "absent",
] as const;

export function comparisonCsv(comparison: Comparison): string {
  const rows = comparison.contrasts.flatMap((contrast) => contrastRows(comparison, contrast));
  return [comparisonCsvColumns, ...rows].map(csvRow).join("");
}

type Field = number | string | undefined;

function contrastRows({ reports, reference }: Comparison, contrast: Contrast): Field[][] {
  const row = (figure: string, layer: number | undefined, compared: Compared): Field[] => {
    const difference: Partial<Difference> = isDifference(compared) ? compared : {};
    return [
      reports[reference]!.name,
      reports[contrast.report]!.name,
      figure,
      layer,
      difference.reference,
      difference.other,
      difference.difference,
      difference.standardError,
      difference.isPaired === undefined ? undefined : String(difference.isPaired),
      difference.p,
      difference.significance,
      isDifference(compared) ? undefined : compared.reason,
    ];
  };
  return [
    row("baselineNll", undefined, contrast.baselineNll),
    row("logVarianceGrowth", undefined, contrast.growth),
    row("deepIdentityDistance", undefined, contrast.deepDistance),
    row("deepDeltaNll", undefined, contrast.deepRemoval),
    ...contrast.layers.flatMap((layer) =>
      layerFigures.map((figure) => row(csvNames[figure], layer.index, layer[figure])),
    ),
  ];
}

const csvNames = {
  variance: "logOutputVariance",
  distance: "identityDistance",
  removal: "deltaNll",
} as const;
