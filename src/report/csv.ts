/**
 * The report as CSV (RFC 4180): one row per layer, one column per figure, named by its path in the
 * JSON report. An absent figure, or one that is not
 * finite, is an empty field.
 */
import type { Contribution, LayerReport, Report, TokenStatistics } from "../diagnosis/report";

export function reportCsv(report: Report): string {
  const rows = report.layers.map((layer) => csvColumns.map((column) => column.value(layer)));
  const header = csvColumns.map((column) => column.name);
  return [header, ...rows].map(csvRow).join("");
}

/** One line of a CSV file, its end included. */
export function csvRow(values: readonly (number | string | undefined)[]): string {
  return `${values.map(field).join(",")}\r\n`;
}

interface CsvColumn {
  name: string;
  value: (layer: LayerReport) => number | string | undefined;
}

const removalFigures = ["deltaNll", "standardError"] as const;

export const csvColumns: readonly CsvColumn[] = [
  { name: "index", value: (layer) => layer.index },
  { name: "path", value: (layer) => layer.path },
  ...tokenStatistics("outputVariance", (layer) => layer.outputVariance),
  { name: "attentionVariance", value: (layer) => layer.attentionVariance },
  { name: "crossAttentionVariance", value: (layer) => layer.crossAttentionVariance },
  { name: "feedForwardVariance", value: (layer) => layer.feedForwardVariance },
  ...contribution("contribution.attention", (layer) => layer.contribution?.attention),
  ...contribution("contribution.crossAttention", (layer) => layer.contribution?.crossAttention),
  ...contribution("contribution.feedForward", (layer) => layer.contribution?.feedForward),
  ...figures("jacobian", (layer) => layer.jacobian, [
    "identityDistance",
    "standardError",
    "identityCosine",
    "identityCosineStandardError",
  ]),
  ...figures("pruning", (layer) => layer.pruning, ["deltaNll", "standardError", "deltaPerplexity"]),
  ...figures("pruning.attention", (layer) => layer.pruning?.attention, removalFigures),
  ...figures("pruning.crossAttention", (layer) => layer.pruning?.crossAttention, removalFigures),
  ...figures("pruning.feedForward", (layer) => layer.pruning?.feedForward, removalFigures),
  { name: "blockInfluence", value: (layer) => layer.blockInfluence },
  { name: "blockInfluenceStandardError", value: (layer) => layer.blockInfluenceStandardError },
  {
    name: "unmeasured",
    value: (layer) =>
      layer.unmeasured?.map((entry) => `${entry.metric}: ${entry.reason}`).join("; "),
  },
];

/** One column for each named figure of one part of a layer's report. */
function figures<Key extends string>(
  path: string,
  partOf: (layer: LayerReport) => NoInfer<Partial<Record<Key, number>>> | undefined,
  keys: readonly Key[],
): CsvColumn[] {
  return keys.map((key) => ({ name: `${path}.${key}`, value: (layer) => partOf(layer)?.[key] }));
}

function tokenStatistics(
  path: string,
  partOf: (layer: LayerReport) => TokenStatistics | undefined,
): CsvColumn[] {
  return figures(path, partOf, [
    "mean",
    "standardError",
    "median",
    "medianStandardError",
    "meanWithoutFirstToken",
    "standardErrorWithoutFirstToken",
  ]);
}

function contribution(
  path: string,
  partOf: (layer: LayerReport) => Contribution | undefined,
): CsvColumn[] {
  return [
    ...tokenStatistics(`${path}.variance`, (layer) => partOf(layer)?.variance),
    ...figures(path, partOf, [
      "normRatio",
      "normRatioStandardError",
      "cosine",
      "cosineStandardError",
    ]),
  ];
}

function field(value: number | string | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = formulaLike.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A spreadsheet would run text that begins like this; a leading apostrophe makes it text again. */
const formulaLike = /^[=+\-@\t\r]/;
