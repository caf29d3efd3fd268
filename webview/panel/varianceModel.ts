/** Output variance over depth, with both fits and what theory says from the first layer on. */
import { t } from "@vscode/l10n";
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
    title: t("Output variance"),
    unit: t("σ² of the residual stream, squared units, log scale"),
    layers: view.layers,
    ...(view.visible ? { visible: view.visible } : {}),
    axis,
    measured: { label: t("measured, 95% interval"), bars: false, band: true, points },
    curves,
    verdicts: verdictsOf(view),
    ...emptinessOf(view, "variance", points.length > 0),
    notes: unmeasuredNotes(view, "variance"),
    summary:
      first && last && first !== last
        ? t(
            "{0} after layer {1} → {2} after layer {3}",
            figure(first.value),
            first.layer,
            figure(last.value),
            last.layer,
          )
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
    t("median {0}", figure(median)),
    ...(meanWithoutFirstToken === undefined
      ? []
      : [t("without first tokens {0}", figure(meanWithoutFirstToken))]),
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
      label: growth
        ? t(
            "exponential fit ({0}), R² {1}",
            dashOf("exponential"),
            growth.exponential.r2.toFixed(3),
          )
        : t("exponential fit ({0})", dashOf("exponential")),
      role: "exponential",
      points: growth ? curve(exponentialFit(growth.exponential, first, last)) : [],
    },
    {
      label: growth
        ? t("power fit ({0}), R² {1}", dashOf("power"), growth.power.r2.toFixed(3))
        : t("power fit ({0})", dashOf("power")),
      role: "power",
      points: growth ? curve(powerFit(growth.power, first, last)) : [],
    },
    {
      label: t("Pre-LN theory ({0}), up to a constant", dashOf("preLn")),
      role: "preLn",
      points: start ? curve(preLnTheory(start, layers - 1)) : [],
    },
    {
      label: t("LNS theory ({0}), up to a constant", dashOf("lns")),
      role: "lns",
      points: start ? curve(lnsTheory(start, layers - 1)) : [],
    },
  ];
}

/** `long dashes` */
function dashOf(role: CurveSeries["role"]): string {
  return dashName(curveDashes[role]);
}

function curve(points: readonly CurvePoint[]): CurveSeries["points"] {
  return points.map(({ layer, variance }) => ({ layer, value: variance }));
}
