/** What removing each layer, or only one of its sublayers, costs. */
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
import { costPhrase, writtenDifference } from "./removalCost";

export const removableParts = ["layer", "attention", "feedForward"] as const;
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
    title: "Pruning sensitivity",
    unit: `ΔNLL without ${partNames[part]}, nats per token${isLog ? ", log scale" : ""}`,
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis,
    measured: { label: "measured", bars: true, band: false, points: drawn },
    ...(isLog && { belowAxis: { label: "below the axis: almost zero, or less", points: below } }),
    curves: [],
    reference: {
      value: verdictThreshold,
      label: `+1% perplexity, the verdict’s threshold (${dashName(referenceDash)})`,
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
      return `${costReadout(view, layer, part, cost)}${isBelow ? " · below the log scale" : ""}`;
    },
  };
}

const partNames: Readonly<Record<RemovablePart, string>> = {
  layer: "the layer",
  attention: "the layer’s attention",
  feedForward: "the layer’s feed-forward",
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
    `Removing layer ${layer}${partPossessives[part]} ${costPhrase(cost)}`,
    `ΔNLL ${signedWithInterval(cost.deltaNll, cost.standardError)}`,
    ...(difference
      ? [
          `Δ perplexity ${difference.value}${difference.error === undefined ? "" : ` ± ${difference.error}`}`,
        ]
      : []),
  ].join(" · ");
}

const partPossessives: Readonly<Record<RemovablePart, string>> = {
  layer: "",
  attention: "’s attention",
  feedForward: "’s feed-forward",
};

function costliest(points: readonly MeasuredPoint[], view: ReportView): string {
  const [most] = points.toSorted((a, b) => b.value - a.value);
  const perplexity = view.report?.baseline?.perplexity;
  if (!most || perplexity === undefined) return "";
  return `perplexity ${figure(perplexity)} with every layer · layer ${most.layer} costs most, ΔNLL ${signedFigure(most.value)}`;
}

function belowNotes(below: readonly MeasuredPoint[], floor: number): string[] {
  if (below.length === 0) return [];
  const isZeroOrLess = below.every((point) => point.value <= 0);
  const where = isZeroOrLess ? "at or below zero" : `below ${tickText(floor)}`;
  const layers = namedLayers(below.map((point) => point.layer));
  return [
    `▽ at the axis’ floor: the ${below.length === 1 ? "cost" : "costs"} of ${layers}, ${where}`,
  ];
}

function cutNotes(drawn: readonly MeasuredPoint[], floor: number): string[] {
  const cut = drawn.filter((point) => point.low < floor);
  if (cut.length === 0) return [];
  const layers = namedLayers(cut.map((point) => point.layer));
  const isZero = cut.every((point) => point.low <= 0);
  const end = isZero ? "zero or below" : `below ${tickText(floor)}`;
  return [
    cut.length === 1
      ? `Cut at the axis’ floor: the interval of ${layers}, which reaches ${end}`
      : `Cut at the axis’ floor: the intervals of ${layers}, which reach ${end}`,
  ];
}
