/** What removing each layer, or only one of its sublayers, costs. */
import { t } from "@vscode/l10n";
import type { RemovalCost } from "../../src/diagnosis/report";
import { figure, namedLayers, signedFigure, signedWithInterval } from "../../src/report/format";
import { freeThreshold } from "../../src/report/verdict";
import { linearAxis, logAxis, tickText } from "../shared/axis";
import {
  emptinessOf,
  inSight,
  layerOf,
  measuredPoint,
  reasonFor,
  unmeasuredNotes,
  verdictsOf,
  type ChartModel,
  type MeasuredPoint,
  type ReportView,
} from "./chartModel";
import { dashName, referenceDash } from "./curveDashes";
import { costSentence, writtenDifference } from "./removalCost";

export const removableParts = ["layer", "attention", "crossAttention", "feedForward"] as const;
export type RemovablePart = (typeof removableParts)[number];

/** The perplexity increase that the verdict is about, as ΔNLL: log(1 + 1%). */
export const verdictThreshold = Math.log1p(freeThreshold);

/**
 * Where the log scale ends at the latest, in nats: a hundredth of a percent of perplexity. What is
 * below, zero and negative costs among it, is marked at the axis' floor.
 */
const logFloor = 1e-4;

export function pruningModel(
  view: ReportView,
  options: { part: RemovablePart; isLog: boolean },
): ChartModel {
  const { part, isLog } = options;
  const points = pruningPoints(view, part);
  const seen = inSight(points, view);
  const values = seen.flatMap((point) => [point.low, point.value, point.high]);
  // The threshold is what every cost is held against: on a log scale it costs little room.
  const axis = isLog
    ? logAxis([verdictThreshold, ...values.filter((value) => value >= logFloor)])
    : linearAxis(values);
  const below = isLog ? points.filter((point) => point.value < axis.min) : [];
  const drawn = points.filter((point) => !below.includes(point));
  const metric = part === "layer" ? "pruning" : "sublayers";
  return {
    title: t("Pruning sensitivity"),
    unit: isLog
      ? t("ΔNLL without {0}, nats per token, log scale", partNames[part]())
      : t("ΔNLL without {0}, nats per token", partNames[part]()),
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis,
    measured: { label: t("measured, 95% interval"), bars: true, band: false, points: drawn },
    ...(isLog && {
      belowAxis: { label: t("below the axis: almost zero, or less"), points: below },
    }),
    curves: [],
    reference: {
      value: verdictThreshold,
      label: t("+1% perplexity, the verdict’s threshold ({0})", dashName(referenceDash)),
    },
    verdicts: verdictsOf(view),
    ...emptinessOf(view, metric, points.length > 0),
    notes: [
      ...(isLog ? [...belowNotes(below, axis.min), ...cutNotes(drawn, axis.min)] : []),
      ...unmeasuredNotes(view, metric),
    ],
    summary: costliest(points, view),
    readout: (layer) => {
      const cost = costOf(view, layer, part);
      if (!cost) return reasonFor(view, layer, metric);
      const isBelow = below.some((point) => point.layer === layer);
      const readout = costReadout(view, layer, part, cost);
      return isBelow ? `${readout} · ${t("below the log scale")}` : readout;
    },
  };
}

const partNames: Readonly<Record<RemovablePart, () => string>> = {
  layer: () => t("the layer"),
  attention: () => t("the layer’s attention"),
  crossAttention: () => t("the layer’s cross-attention"),
  feedForward: () => t("the layer’s feed-forward"),
};

function costOf(view: ReportView, index: number, part: RemovablePart): RemovalCost | undefined {
  const pruning = layerOf(view, index)?.pruning;
  return part === "layer" ? pruning : pruning?.[part];
}

function pruningPoints(view: ReportView, part: RemovablePart): MeasuredPoint[] {
  return Array.from({ length: view.layers }, (_, index) => index).flatMap((index) => {
    const cost = costOf(view, index, part);
    return cost ? [measuredPoint(index, cost.deltaNll, cost.standardError)] : [];
  });
}

function costReadout(
  view: ReportView,
  layer: number,
  part: RemovablePart,
  cost: RemovalCost,
): string {
  const pruning = part === "layer" ? layerOf(view, layer)?.pruning : undefined;
  const difference = pruning && writtenDifference(pruning, view.report?.baseline);
  return [
    costSentence(removals[part](layer), cost),
    `ΔNLL ${signedWithInterval(cost.deltaNll, cost.standardError)}`,
    ...(difference
      ? [
          t(
            "Δ perplexity {0}",
            difference.error === undefined
              ? difference.value
              : `${difference.value} ± ${difference.error}`,
          ),
        ]
      : []),
  ].join(" · ");
}

const removals: Readonly<Record<RemovablePart, (layer: number) => string>> = {
  layer: (layer) => t("Removing layer {0}", layer),
  attention: (layer) => t("Removing layer {0}’s attention", layer),
  crossAttention: (layer) => t("Removing layer {0}’s cross-attention", layer),
  feedForward: (layer) => t("Removing layer {0}’s feed-forward", layer),
};

function costliest(points: readonly MeasuredPoint[], view: ReportView): string {
  const [most] = points.toSorted((a, b) => b.value - a.value);
  const perplexity = view.report?.baseline?.perplexity;
  if (!most || perplexity === undefined) return "";
  return t(
    "perplexity {0} with every layer · layer {1} costs most, ΔNLL {2}",
    figure(perplexity),
    most.layer,
    signedFigure(most.value),
  );
}

function belowNotes(below: readonly MeasuredPoint[], floor: number): string[] {
  if (below.length === 0) return [];
  const isZeroOrLess = below.every((point) => point.value <= 0);
  const layers = namedLayers(below.map((point) => point.layer));
  const end = tickText(floor);
  if (below.length === 1) {
    return isZeroOrLess
      ? [t("▽ at the axis’ floor: the cost of {0}, at or below zero", layers)]
      : [t("▽ at the axis’ floor: the cost of {0}, below {1}", layers, end)];
  }
  return isZeroOrLess
    ? [t("▽ at the axis’ floor: the costs of {0}, at or below zero", layers)]
    : [t("▽ at the axis’ floor: the costs of {0}, below {1}", layers, end)];
}

function cutNotes(drawn: readonly MeasuredPoint[], floor: number): string[] {
  const cut = drawn.filter((point) => point.low < floor);
  if (cut.length === 0) return [];
  const layers = namedLayers(cut.map((point) => point.layer));
  const isZero = cut.every((point) => point.low <= 0);
  const end = tickText(floor);
  if (cut.length === 1) {
    return isZero
      ? [t("Cut at the axis’ floor: the interval of {0}, which reaches zero or below", layers)]
      : [t("Cut at the axis’ floor: the interval of {0}, which reaches below {1}", layers, end)];
  }
  return isZero
    ? [t("Cut at the axis’ floor: the intervals of {0}, which reach zero or below", layers)]
    : [t("Cut at the axis’ floor: the intervals of {0}, which reach below {1}", layers, end)];
}
