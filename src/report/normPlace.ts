/** Where in the model a norm is, in words and by its layer. */
import type { NormSummary, Report } from "../diagnosis/report";

/** `model.layers.*.norm · before the attention of every layer, 0 to 15`; undefined for another model's. */
export function normText(norm: NormSummary, report: Report): string | undefined {
  if (report.architecture.norms?.some(({ path }) => path === norm.path) !== true) return undefined;
  const layer = layerOfNorm(norm, report);
  const { layers } = report.architecture;
  const whose = layer === undefined ? `every layer, 0 to ${layers - 1}` : `layer ${layer}`;
  return `${norm.path} · ${placeNames[norm.feeds]}${norm.feeds === "head" ? "" : ` of ${whose}`}`;
}

const placeNames: Readonly<Record<NormSummary["feeds"], string>> = {
  attention: "before the attention",
  feedForward: "before the feed-forward",
  head: "after the last layer, before the head",
};

/** The layer that alone has the norm: `model.layers.7.norm`; undefined where all share it or none has it. */
export function layerOfNorm({ path, feeds }: NormSummary, report: Report): number | undefined {
  if (feeds !== "head" && report.architecture.layers === 1) return 0;
  return report.layers.find((layer) => path.startsWith(`${layer.path}.`))?.index;
}
