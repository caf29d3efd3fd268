/** What removing each layer, or only one of its sublayers, costs. */
import type { RemovalCost } from "../../src/diagnosis/report";
import {
  figure,
  namedLayers,
  perplexityCost,
  signedFigure,
  signedWithInterval,
} from "../../src/report/format";
import { freeThreshold } from "../../src/report/verdict";
import { linearAxis, logAxis } from "./axis";
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

export const removableParts = ["layer", "attention", "feedForward"] as const;
export type RemovablePart = (typeof removableParts)[number];

/** The perplexity increase that the verdict is about, as ΔNLL: log(1 + 1%). */
export const verdictThreshold = Math.log1p(freeThreshold);

export function pruningModel(
  view: ReportView,
  options: { part: RemovablePart; isLog: boolean },
): ChartModel {
  const { part, isLog } = options;
  const points = pruningPoints(view, part);
  const seen = inSight(points, view);
  const values = seen.flatMap((point) => [point.low, point.value, point.high]);
  const drawn = isLog ? points.filter((point) => point.value > 0) : points;
  // Half of the smallest figure is low enough: an interval that reaches zero has no low end here.
  const positive = seen.filter((point) => point.value > 0);
  const floor = Math.min(...positive.map((point) => point.value / 2));
  const axis = isLog ? logAxis(values.filter((value) => value >= floor)) : linearAxis(values);
  const metric = part === "layer" ? "pruning" : "sublayers";
  return {
    title: "Pruning sensitivity",
    unit: `ΔNLL without ${partNames[part]}, nats per token${isLog ? ", log scale" : ""}`,
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis,
    measured: { label: "measured", bars: !isLog, band: false, points: drawn },
    curves: [],
    reference: { value: verdictThreshold, label: "+1% perplexity, the verdict’s threshold" },
    verdicts: verdictsOf(view),
    ...emptinessOf(view, metric, points.length > 0),
    notes: [
      ...(isLog ? [...notDrawn(points, drawn), ...cutIntervals(drawn)] : []),
      ...unmeasuredNotes(view, metric),
    ],
    summary: costliest(points, view),
    readout: (layer) => {
      const cost = costOf(view, layer, part);
      return cost ? costReadout(view, layer, part, cost) : reasonFor(view, layer, metric);
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
  const deltaPerplexity =
    part === "layer" ? layerOf(view, layer)?.pruning?.deltaPerplexity : undefined;
  return [
    costSentence(`layer ${layer}${partPossessives[part]}`, perplexityCost(cost)),
    `ΔNLL ${signedWithInterval(cost.deltaNll, cost.standardError)}`,
    ...(deltaPerplexity === undefined ? [] : [`ΔPPL ${signedFigure(deltaPerplexity)}`]),
  ].join(" · ");
}

const partPossessives: Readonly<Record<RemovablePart, string>> = {
  layer: "",
  attention: "’s attention",
  feedForward: "’s feed-forward",
};

/** `Removing layer 12 costs +0.3% perplexity (±0.1)` */
function costSentence(what: string, cost: string): string {
  return cost.startsWith("×")
    ? `Removing ${what} multiplies perplexity by ${cost.slice(1)}`
    : `Removing ${what} costs ${cost.replace("%", "% perplexity")}`;
}

function costliest(points: readonly MeasuredPoint[], view: ReportView): string {
  const [most] = points.toSorted((a, b) => b.value - a.value);
  const perplexity = view.report?.baseline?.perplexity;
  if (!most || perplexity === undefined) return "";
  return `perplexity ${figure(perplexity)} with every layer · layer ${most.layer} costs most, ΔNLL ${signedFigure(most.value)}`;
}

function notDrawn(points: readonly MeasuredPoint[], drawn: readonly MeasuredPoint[]): string[] {
  const left = points.filter((point) => !drawn.includes(point)).map((point) => point.layer);
  if (left.length === 0) return [];
  return [`A log scale has no place for costs at or below zero: ${namedLayers(left)}`];
}

function cutIntervals(drawn: readonly MeasuredPoint[]): string[] {
  const cut = drawn.filter((point) => point.low <= 0).map((point) => point.layer);
  if (cut.length === 0) return [];
  return [`Intervals that reach zero are cut at the bottom: ${namedLayers(cut)}`];
}
