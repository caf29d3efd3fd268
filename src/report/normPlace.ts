/** Where in the model a norm is, in words and by its layer. */
import { t } from "@vscode/l10n";
import type { NormSummary, Report } from "../diagnosis/report";

/** `model.layers.*.norm · before the attention of every layer, 0 to 15`; undefined for another model's. */
export function normText(norm: NormSummary, report: Report): string | undefined {
  if (report.architecture.norms?.some(({ path }) => path === norm.path) !== true) return undefined;
  const layer = layerOfNorm(norm, report);
  const last = report.architecture.layers - 1;
  return `${norm.path} · ${layer === undefined ? placeInAll[norm.feeds](last) : placeInOne[norm.feeds](layer)}`;
}

const beforeHead = (): string => t("after the last layer, before the head");

const placeInOne: Readonly<Record<NormSummary["feeds"], (layer: number) => string>> = {
  attention: (layer) => t("before the attention of layer {0}", layer),
  crossAttention: (layer) => t("before the cross-attention of layer {0}", layer),
  feedForward: (layer) => t("before the feed-forward of layer {0}", layer),
  head: beforeHead,
};

const placeInAll: Readonly<Record<NormSummary["feeds"], (last: number) => string>> = {
  attention: (last) => t("before the attention of every layer, 0 to {0}", last),
  crossAttention: (last) => t("before the cross-attention of every layer, 0 to {0}", last),
  feedForward: (last) => t("before the feed-forward of every layer, 0 to {0}", last),
  head: beforeHead,
};

/** The layer that alone has the norm: `model.layers.7.norm`; undefined where all share it or none has it. */
export function layerOfNorm({ path, feeds }: NormSummary, report: Report): number | undefined {
  if (feeds !== "head" && report.architecture.layers === 1) return 0;
  return report.layers.find((layer) => path.startsWith(`${layer.path}.`))?.index;
}
