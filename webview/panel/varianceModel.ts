/** Output variance over depth, with both fits and what theory says from the first layer on. */
import type { GrowthLaw } from "../../src/diagnosis/report";
import { figure, withInterval } from "../../src/report/format";
import { logAxis } from "../shared/axis";
import {
  emptinessOf,
  inSight,
  layerOf,
  measuredPoint,
  reasonFor,
  unmeasuredNotes,
  verdictsOf,
  type ChartModel,
  type CurveSeries,
  type MeasuredPoint,
  type ReportView,
} from "./chartModel";
import { curveDashes, dashName } from "./curveDashes";
import { exponentialFit, lnsTheory, powerFit, preLnTheory, type CurvePoint } from "./curves";

export function varianceModel(view: ReportView): ChartModel {
  const points = variancePoints(view);
  const curves = curvesOf(points, view.report?.growth, view.layers);
  const axis = logAxis([
    ...inSight(points, view).flatMap((point) => [point.low, point.value, point.high]),
    ...curves.flatMap((curve) => inSight(curve.points, view).map((point) => point.value)),
  ]);
  const first = points[0];
  const last = points.at(-1);
  return {
    title: "Output variance",
    unit: "σ² of the residual stream, squared units, log scale",
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis,
    measured: { label: "measured", bars: false, band: true, points },
    curves,
    verdicts: verdictsOf(view),
    ...emptinessOf(view, "variance", points.length > 0),
    notes: unmeasuredNotes(view, "variance"),
    summary:
      first && last && first !== last
        ? `${figure(first.value)} after layer ${first.layer} → ${figure(last.value)} after layer ${last.layer}`
        : "",
    readout: (layer) => varianceReadout(view, layer),
  };
}

function variancePoints(view: ReportView): MeasuredPoint[] {
  return Array.from({ length: view.layers }, (_, index) => index).flatMap((index) => {
    const variance = layerOf(view, index)?.outputVariance;
    return variance ? [measuredPoint(index, variance.mean, variance.standardError)] : [];
  });
}

function varianceReadout(view: ReportView, layer: number): string {
  const variance = layerOf(view, layer)?.outputVariance;
  if (!variance) return reasonFor(view, layer, "variance");
  const { mean, standardError, median, meanWithoutFirstToken } = variance;
  return [
    `σ² ${withInterval(mean, standardError)}`,
    `median ${figure(median)}`,
    ...(meanWithoutFirstToken === undefined
      ? []
      : [`without first tokens ${figure(meanWithoutFirstToken)}`]),
  ].join(" · ");
}

/** Every curve is named from the start, so that the legend stays as it is when points come. */
function curvesOf(
  points: readonly MeasuredPoint[],
  growth: GrowthLaw | undefined,
  layers: number,
): CurveSeries[] {
  const positive = points.filter((point) => point.value > 0);
  const first = positive[0]?.layer ?? 0;
  const last = positive.at(-1)?.layer ?? -1;
  const start = positive[0] && { layer: first, variance: positive[0].value };
  // A fit speaks only of what it was fitted to; the theories are about every layer to come.
  return [
    {
      label: `${named("exponential fit", "exponential")}${growth ? `, R² ${growth.exponential.r2.toFixed(3)}` : ""}`,
      role: "exponential",
      points: growth ? curve(exponentialFit(growth.exponential, first, last)) : [],
    },
    {
      label: `${named("power fit", "power")}${growth ? `, R² ${growth.power.r2.toFixed(3)}` : ""}`,
      role: "power",
      points: growth ? curve(powerFit(growth.power, first, last)) : [],
    },
    {
      label: `${named("Pre-LN theory", "preLn")}, up to a constant`,
      role: "preLn",
      points: start ? curve(preLnTheory(start, layers - 1)) : [],
    },
    {
      label: `${named("LNS theory", "lns")}, up to a constant`,
      role: "lns",
      points: start ? curve(lnsTheory(start, layers - 1)) : [],
    },
  ];
}

/** `power fit (long dashes)` */
function named(name: string, role: CurveSeries["role"]): string {
  return `${name} (${dashName(curveDashes[role])})`;
}

function curve(points: readonly CurvePoint[]): CurveSeries["points"] {
  return points.map(({ layer, variance }) => ({ layer, value: variance }));
}
