/** The figures of a layer as the columns of a table in text. */
import { t } from "@vscode/l10n";
import type { LayerReport, NormSummary, Report } from "../diagnosis/report";
import { absent, figure, perplexityCost, signedWithInterval, withInterval } from "./format";
import { verdictName, verdictOf } from "./verdict";

/** A part of a layer. */
export type Sublayer = Exclude<NormSummary["feeds"], "stream" | "sublayers" | "head">;

export interface LayerColumn {
  head: string;
  align: "left" | "right";
  cell: (layer: LayerReport) => string;
  /** Whether the layer has the figure. */
  present: (layer: LayerReport) => boolean;
  /** What it is of, where that is not the whole layer. */
  sublayer?: Sublayer;
}

/** The columns that something was measured for, the most telling first. */
export function layerColumns(report: Report): LayerColumn[] {
  return allColumns(report).filter((column) => report.layers.some(column.present));
}

function allColumns(report: Report): LayerColumn[] {
  return [
    {
      head: t("layer"),
      align: "right",
      cell: (layer) => String(layer.index),
      present: () => true,
    },
    {
      head: t("verdict"),
      align: "left",
      cell: (layer) => {
        const verdict = verdictOf(layer, report.baseline);
        return verdict === undefined ? absent : verdictName(verdict);
      },
      present: (layer) => layer.pruning !== undefined,
    },
    {
      head: t("variance"),
      align: "right",
      cell: ({ outputVariance }) =>
        outputVariance ? withInterval(outputVariance.mean, outputVariance.standardError) : absent,
      present: (layer) => layer.outputVariance !== undefined,
    },
    {
      head: "‖J−I‖/‖I‖",
      align: "right",
      cell: ({ jacobian }) =>
        jacobian ? withInterval(jacobian.identityDistance, jacobian.standardError) : absent,
      present: (layer) => layer.jacobian !== undefined,
    },
    {
      head: t("ΔNLL (nats)"),
      align: "right",
      cell: ({ pruning }) =>
        pruning ? signedWithInterval(pruning.deltaNll, pruning.standardError) : absent,
      present: (layer) => layer.pruning !== undefined,
    },
    {
      head: t("perplexity"),
      align: "right",
      cell: ({ pruning }) => (pruning ? perplexityCost(pruning) : absent),
      present: (layer) => layer.pruning !== undefined,
    },
    {
      head: t("attention ΔNLL"),
      sublayer: "attention",
      align: "right",
      cell: ({ pruning }) =>
        pruning?.attention
          ? signedWithInterval(pruning.attention.deltaNll, pruning.attention.standardError)
          : absent,
      present: (layer) => layer.pruning?.attention !== undefined,
    },
    {
      head: t("cross-attention ΔNLL"),
      sublayer: "crossAttention",
      align: "right",
      cell: ({ pruning }) =>
        pruning?.crossAttention
          ? signedWithInterval(
              pruning.crossAttention.deltaNll,
              pruning.crossAttention.standardError,
            )
          : absent,
      present: (layer) => layer.pruning?.crossAttention !== undefined,
    },
    {
      head: t("feed-forward ΔNLL"),
      sublayer: "feedForward",
      align: "right",
      cell: ({ pruning }) =>
        pruning?.feedForward
          ? signedWithInterval(pruning.feedForward.deltaNll, pruning.feedForward.standardError)
          : absent,
      present: (layer) => layer.pruning?.feedForward !== undefined,
    },
    {
      head: t("block influence"),
      align: "right",
      cell: ({ blockInfluence, blockInfluenceStandardError }) => {
        if (blockInfluence === undefined) return absent;
        return blockInfluenceStandardError === undefined
          ? figure(blockInfluence)
          : withInterval(blockInfluence, blockInfluenceStandardError);
      },
      present: (layer) => layer.blockInfluence !== undefined,
    },
  ];
}
