/** What stands above and behind a norm in training code. */
import { t } from "@vscode/l10n";
import type { LayerReport, Report } from "../diagnosis/report";
import { counted, figure, schemeName } from "./format";
import { layerTableMarkdown } from "./markdown";
import { byIndex, sparkline } from "./sparkline";
import { verdictOf } from "./verdict";

/** Characters of the sparkline: enough to see a shape, short enough for a line above code. */
const sparklineWidth = 24;
/** Rows of a hover's table. */
const hoverRows = 48;

/**
 * The line above a norm: variance and Jacobian distance from the first layer to the last, and how
 * many layers are nearly free to remove. What was not measured is left out.
 */
export function normLine(report: Report): string {
  const layers = byIndex(report);
  return [
    change("σ²", layers, (layer) => layer.outputVariance?.mean, "log"),
    change("‖J−I‖", layers, (layer) => layer.jacobian?.identityDistance),
    freeLayers(report),
  ]
    .filter((part) => part !== undefined)
    .join("  ·  ");
}

/** The table behind the line, with the sentences that it bears. */
export function normHover(report: Report, path: string): string {
  const { normScheme, layers } = report.architecture;
  return [
    `**\`${path.replaceAll("`", "'")}\`** · ${counted(layers, "layer")} · ${schemeName(normScheme)}`,
    layerTableMarkdown(report, hoverRows),
  ].join("\n\n");
}

function change(
  name: string,
  layers: readonly (LayerReport | undefined)[],
  figureOf: (layer: LayerReport) => number | undefined,
  scale: "linear" | "log" = "linear",
): string | undefined {
  const values = layers.map((layer) => layer && figureOf(layer));
  const known = values.filter((value) => value !== undefined);
  if (known.length === 0) return undefined;
  const line = sparkline(values, scale, sparklineWidth);
  return `${name} ${figure(known[0]!)} → ${figure(known.at(-1)!)} ${line}`;
}

function freeLayers(report: Report): string | undefined {
  const verdicts = report.layers.map((layer) => verdictOf(layer, report.baseline));
  const judged = verdicts.filter((verdict) => verdict !== undefined);
  if (judged.length === 0) return undefined;
  const free = judged.filter((verdict) => verdict === "free").length;
  const uncertain = judged.filter((verdict) => verdict === "uncertain").length;
  const { layers } = report.architecture;
  return uncertain === 0
    ? t("{0} of {1} layers nearly free to remove", free, layers)
    : t("{0} of {1} layers nearly free to remove ({2} uncertain)", free, layers, uncertain);
}
