/**
 * What a chart shows, free of how it is drawn: the same model is drawn on screen and in the PNG,
 * and read out to those who do not see it.
 */
import { t } from "@vscode/l10n";
import type { LayerReport, Metric, Report } from "../../src/diagnosis/report";
import { layerList, z95 } from "../../src/report/format";
import { verdictName, verdictOf, type Verdict } from "../../src/report/verdict";
import type { LayerRange, ValueAxis } from "../shared/axis";

export interface ChartModel {
  title: string;
  /** What the value axis shows, and in what unit. */
  unit: string;
  /** Number of layers: the layer axis runs from 0 to one less from the start. */
  layers: number;
  /** The part of the layer axis that is looked at; all of it when absent. */
  visible?: LayerRange;
  axis: ValueAxis;
  measured: MeasuredSeries;
  /** Figures that a logarithmic axis has no place for; absent where every figure has its place. */
  belowAxis?: BelowAxis;
  curves: CurveSeries[];
  reference?: { value: number; label: string };
  verdicts: (Verdict | undefined)[];
  /** Why there is nothing to see; absent when there is something. */
  emptiness?: string;
  /** What cannot be drawn, and why. */
  notes: string[];
  /** The figures over all layers, read while no layer is chosen. */
  summary: string;
  /** The figures of one layer, or why there are none. */
  readout: (layer: number) => string;
}

export interface MeasuredSeries {
  label: string;
  /** Bars from zero; only where the axis is linear, for a logarithmic one has no zero. */
  bars: boolean;
  /** A band between the ends of the intervals, beside the error bars. */
  band: boolean;
  points: MeasuredPoint[];
}

/** Marked at the axis' floor by a shape of their own, with as much of the interval as there is room. */
export interface BelowAxis {
  label: string;
  points: MeasuredPoint[];
}

/** A figure with the ends of its 95% interval. */
export interface MeasuredPoint {
  layer: number;
  value: number;
  low: number;
  high: number;
}

export interface CurveSeries {
  label: string;
  /** `ghost` is another step of the same run, `otherRun` another run. */
  role: "exponential" | "power" | "preLn" | "lns" | "ghost" | "otherRun";
  points: SeriesPoint[];
}

/** What was measured elsewhere has the ends of its 95% interval, what was computed has none. */
export type SeriesPoint = Pick<MeasuredPoint, "layer" | "value"> &
  Partial<Pick<MeasuredPoint, "low" | "high">>;

/** How far a report has come, as far as a chart has to know. */
export interface ReportView {
  /** Undefined before the checkpoint has been opened. */
  report: Report | undefined;
  layers: number;
  isRunning: boolean;
  /** The part of the layer axis that is looked at; all of it when absent. */
  visible?: LayerRange;
}

/** The report of a layer; a layer that no figure has come for may have none. */
export function layerOf({ report }: ReportView, index: number): LayerReport | undefined {
  const atPlace = report?.layers[index];
  return atPlace?.index === index ? atPlace : report?.layers.find((layer) => layer.index === index);
}

export function verdictsOf(view: ReportView): (Verdict | undefined)[] {
  return Array.from({ length: view.layers }, (_, index) => {
    const layer = layerOf(view, index);
    return layer && verdictOf(layer, view.report?.baseline);
  });
}

/** Neighbouring layers of one verdict, which a chart tints as one. */
export function verdictRuns(
  verdicts: readonly (Verdict | undefined)[],
): { verdict: Verdict; first: number; last: number }[] {
  const runs: { verdict: Verdict; first: number; last: number }[] = [];
  verdicts.forEach((verdict, layer) => {
    const run = runs.at(-1);
    if (verdict === undefined) return;
    if (run?.verdict === verdict && run.last === layer - 1) run.last = layer;
    else runs.push({ verdict, first: layer, last: layer });
  });
  return runs;
}

/** The axis of a zoomed chart fits what is in sight. */
export function inSight<Point extends { layer: number }>(
  points: readonly Point[],
  { visible }: ReportView,
): Point[] {
  return points.filter(
    ({ layer }) => visible === undefined || (layer >= visible.min && layer <= visible.max),
  );
}

/** A point with its 95% interval; one whose error is unknown stands without. */
export function measuredPoint(
  layer: number,
  value: number,
  standardError: number | undefined,
): MeasuredPoint {
  const reach = z95 * (standardError ?? 0);
  return { layer, value, low: value - reach, high: value + reach };
}

/** What stands at a layer, for those who do not see it. */
export function spokenLayer(layer: number, text: string, verdict: Verdict | undefined): string {
  return verdict === undefined
    ? t("Layer {0}: {1}", layer, text)
    : t("Layer {0}: {1}, {2}", layer, text, verdictName(verdict));
}

/** Why a layer has no figure of a metric. */
export function reasonFor(view: ReportView, index: number, metric: Metric): string {
  const { report } = view;
  if (report && !wasAsked(report, metric)) return t("not asked for");
  const stated = layerOf(view, index)?.unmeasured?.find((entry) => entry.metric === metric);
  if (stated) return stated.reason;
  return view.isRunning ? t("not measured yet") : t("not measured before the run ended");
}

/** Why a chart is empty, when it is. */
export function emptinessOf(
  view: ReportView,
  metric: Metric,
  hasPoints: boolean,
): { emptiness?: string } {
  const { report } = view;
  if (hasPoints) return {};
  if (report && !wasAsked(report, metric)) return { emptiness: t("Not asked for in this run") };
  const stated = statedReasons(report, metric)[0];
  if (stated !== undefined) return { emptiness: capitalised(stated.reason) };
  return {
    emptiness: view.isRunning ? t("Not measured yet") : t("Not measured before the run ended"),
  };
}

/** `Layers 3–5 and 9: …`, one line for each reason; none while the reason is that the run goes on. */
export function unmeasuredNotes(view: ReportView, metric: Metric): string[] {
  if (view.isRunning) return [];
  const reasons = statedReasons(view.report, metric);
  // A reason that holds for every layer stands in the empty chart already.
  if (reasons[0]?.layers.length === view.layers) return [];
  return reasons.map(({ reason, layers }) =>
    layers.length === 1
      ? t("Layer {0}: {1}", layerList(layers), reason)
      : t("Layers {0}: {1}", layerList(layers), reason),
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function hasCrossAttention({ architecture }: Report): boolean {
  return architecture.norms?.some(({ feeds }) => feeds === "crossAttention") === true;
}

export function wasAsked(report: Report, metric: Metric): boolean {
  return report.evaluation.metrics.includes(metric);
}

function statedReasons(
  report: Report | undefined,
  metric: Metric,
): { reason: string; layers: number[] }[] {
  const layersOf = new Map<string, number[]>();
  for (const layer of report?.layers ?? [])
    for (const entry of layer.unmeasured ?? [])
      if (entry.metric === metric)
        layersOf.set(entry.reason, [...(layersOf.get(entry.reason) ?? []), layer.index]);
  return [...layersOf].map(([reason, layers]) => ({ reason, layers }));
}
