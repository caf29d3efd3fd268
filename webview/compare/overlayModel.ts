/** What an overlaid chart shows, free of how it is drawn: one series for each report. */
import { t } from "@vscode/l10n";
import type { LayerReport, Metric, Report } from "../../src/diagnosis/report";
import type { Comparison, LayerFigure } from "../../src/report/comparison";
import { isDifference } from "../../src/report/comparison";
import { factor } from "../../src/report/comparisonVerdict";
import {
  figure,
  namedLayers,
  signedWithInterval,
  withInterval,
  z95,
} from "../../src/report/format";
import { linearAxis, logAxis, type LayerRange, type ValueAxis } from "../shared/axis";

/** What a person looks at. */
export interface OverlayView {
  names: readonly string[];
  reports: readonly Report[];
  /** Of each report the index of its style, which stays its own while others are still to come. */
  styles: readonly number[];
  comparison: Comparison;
  /** Indices of the reports that are drawn. */
  shown: readonly number[];
  /** Layers stand by their relative depth instead of their index. */
  isRelative: boolean;
  isCostLog: boolean;
  /** The part of the layer axis that is looked at; all of it when absent. */
  visible?: LayerRange;
}

export interface OverlayModel {
  figure: LayerFigure;
  title: string;
  unit: string;
  /** Places on the layer axis: as many as the deepest model has layers. */
  places: number;
  isRelative: boolean;
  visible?: LayerRange;
  axis: ValueAxis;
  series: OverlaySeries[];
  emptiness?: string;
  notes: string[];
  /** What each drawn report has from its first to its last layer. */
  summaries: OverlayReadout[];
  /** What each drawn report has at a place. */
  readouts: (place: number) => OverlayReadout[];
}

export interface OverlaySeries {
  /** Index of the report, and of its style. */
  report: number;
  style: number;
  points: OverlayPoint[];
}

export interface OverlayPoint {
  layer: number;
  /** Where it stands on the layer axis. */
  place: number;
  value: number;
  low: number;
  high: number;
}

export interface OverlayReadout {
  style: number;
  name: string;
  text: string;
}

/** The three charts, from top to bottom. */
export function overlayModels(view: OverlayView): OverlayModel[] {
  return [
    overlayModel(view, "variance", true),
    overlayModel(view, "distance", true),
    overlayModel(view, "removal", view.isCostLog),
  ];
}

/** Places on the layer axis. */
export function placeCount({ reports }: Pick<OverlayView, "reports">): number {
  return Math.max(0, ...reports.map((report) => report.architecture.layers));
}

/** Where a layer stands: at its index, or at its share of the depth from first to last. */
export function placeOfLayer(
  layer: number,
  layers: number,
  places: number,
  isRelative: boolean,
): number {
  if (!isRelative || layers === places) return layer;
  return layers < 2 ? 0 : (layer * (places - 1)) / (layers - 1);
}

/** The layer of a model that stands nearest to a place; undefined beyond its last. */
export function layerAtPlace(
  place: number,
  layers: number,
  places: number,
  isRelative: boolean,
): number | undefined {
  if (!isRelative || layers === places) return place < layers ? place : undefined;
  return places < 2 ? 0 : Math.round((place * (layers - 1)) / (places - 1));
}

function overlayModel(view: OverlayView, figure: LayerFigure, wantsLog: boolean): OverlayModel {
  const places = placeCount(view);
  const all = view.shown.map((report) => seriesOf(view, report, figure, places));
  const seen = all.flatMap(({ points }) => points).filter(({ place }) => isInSight(place, view));
  const hasPlaceOnLog = (point: OverlayPoint) => point.value > 0;
  // A removal may cost nothing, and an exact identity is at no distance.
  const isLog = wantsLog && (figure === "removal" || seen.every(hasPlaceOnLog));
  const series = isLog
    ? all.map((one) => ({ ...one, points: one.points.filter(hasPlaceOnLog) }))
    : all;
  const ends = seen.flatMap(({ low, value, high }) => [low, value, high]);
  // Half of the smallest figure is low enough: an interval that reaches zero has no low end here.
  const floor = Math.min(...seen.filter(hasPlaceOnLog).map(({ value }) => value / 2));
  const hasPoints = series.some(({ points }) => points.length > 0);
  return {
    figure,
    title: titles[figure](),
    unit: units[figure](isLog),
    places,
    isRelative: view.isRelative,
    ...(view.visible ? { visible: view.visible } : {}),
    axis: isLog ? logAxis(ends.filter((value) => value >= floor)) : linearAxis(ends),
    series,
    ...(hasPoints
      ? {}
      : {
          emptiness: view.shown.length === 0 ? t("No report is shown") : t("Measured in no report"),
        }),
    notes: [...unmeasuredNotes(view, figure), ...(isLog ? notDrawn(view, all, series) : [])],
    summaries: all.map((one) => summaryOf(view, one)),
    readouts: (place) => view.shown.map((report) => readoutOf(view, report, figure, place, places)),
  };
}

const titles: Readonly<Record<LayerFigure, () => string>> = {
  variance: () => t("Output variance"),
  distance: () => t("Jacobian-to-identity distance"),
  removal: () => t("Pruning sensitivity"),
};

const units: Readonly<Record<LayerFigure, (isLog: boolean) => string>> = {
  variance: (isLog) =>
    isLog
      ? t("σ² of the residual stream, squared units, log scale")
      : t("σ² of the residual stream, squared units"),
  distance: (isLog) =>
    isLog ? t("‖J − I‖ / ‖I‖, a ratio, log scale") : t("‖J − I‖ / ‖I‖, a ratio"),
  removal: (isLog) =>
    isLog
      ? t("ΔNLL without the layer, nats per token, log scale")
      : t("ΔNLL without the layer, nats per token"),
};

/** As they stand within a sentence. */
const figureNames: Readonly<Record<LayerFigure, () => string>> = {
  variance: () => t("output variance"),
  distance: () => t("Jacobian-to-identity distance"),
  removal: () => t("pruning sensitivity"),
};

const metricOf: Readonly<Record<LayerFigure, Metric>> = {
  variance: "variance",
  distance: "jacobian",
  removal: "pruning",
};

function seriesOf(
  view: OverlayView,
  report: number,
  figure: LayerFigure,
  places: number,
): OverlaySeries {
  const { layers, architecture } = view.reports[report]!;
  return {
    report,
    style: view.styles[report]!,
    points: layers.flatMap((layer) => {
      const measured = figureOf(layer, figure);
      if (!measured) return [];
      const [value, standardError] = measured;
      const reach = z95 * (standardError ?? 0);
      const place = placeOfLayer(layer.index, architecture.layers, places, view.isRelative);
      return [{ layer: layer.index, place, value, low: value - reach, high: value + reach }];
    }),
  };
}

function figureOf(
  layer: LayerReport,
  figure: LayerFigure,
): readonly [value: number, standardError: number | undefined] | undefined {
  const { outputVariance, jacobian, pruning } = layer;
  switch (figure) {
    case "variance":
      return outputVariance && [outputVariance.mean, outputVariance.standardError];
    case "distance":
      return jacobian && [jacobian.identityDistance, jacobian.standardError];
    case "removal":
      return pruning && [pruning.deltaNll, pruning.standardError];
  }
}

/** `4.88 → 53.5` */
function summaryOf(
  { names }: OverlayView,
  { report, style, points }: OverlaySeries,
): OverlayReadout {
  const [first, last] = [points[0], points.at(-1)];
  const text =
    first === undefined || last === undefined
      ? t("not measured")
      : first === last
        ? figure(first.value)
        : `${figure(first.value)} → ${figure(last.value)}`;
  return { style, name: names[report]!, text };
}

/** `layer 7: 3.37 ± 0.09, ×0.210 ± 0.006 *` */
function readoutOf(
  view: OverlayView,
  report: number,
  figure: LayerFigure,
  place: number,
  places: number,
): OverlayReadout {
  const { comparison } = view;
  const own = view.reports[report]!;
  const [name, style] = [view.names[report]!, view.styles[report]!];
  const index = layerAtPlace(place, own.architecture.layers, places, view.isRelative);
  if (index === undefined) return { style, name, text: t("no such layer") };
  const layer = own.layers.find((one) => one.index === index);
  const measured = layer && figureOf(layer, figure);
  const placed = (text: string) => (view.isRelative ? t("layer {0}: {1}", index, text) : text);
  if (!measured) return { style, name, text: placed(reasonOf(own, layer, figure)) };
  const write = figure === "removal" ? signedWithInterval : withInterval;
  const text = placed(write(...measured));
  // Differences are of layers of the same index.
  const contrast = view.isRelative
    ? undefined
    : comparison.contrasts.find((one) => one.report === report);
  const compared = contrast?.layers[index]?.[figure];
  if (!compared || !isDifference(compared)) return { style, name, text };
  return { style, name, text: `${text} (${differenceText(figure, compared)})` };
}

/** `×0.21 ± 0.01 *`, or `−0.26 ± 0.01 *` */
export function differenceText(
  figure: LayerFigure,
  compared: { difference: number; standardError?: number; significance?: string },
): string {
  const { difference, standardError, significance } = compared;
  const mark = significance === "significant" ? " *" : significance === "alone" ? " °" : "";
  if (figure !== "variance") return `${signedWithInterval(difference, standardError)}${mark}`;
  const { value, error } = factor(difference, standardError);
  return `${value} ± ${error}${mark}`;
}

function reasonOf(report: Report, layer: LayerReport | undefined, figure: LayerFigure): string {
  const metric = metricOf[figure];
  if (!report.evaluation.metrics.includes(metric)) return t("not asked for");
  return layer?.unmeasured?.find((entry) => entry.metric === metric)?.reason ?? t("not measured");
}

/** `lns: not asked for`, or `lns, layers 3–5: …` */
function unmeasuredNotes(view: OverlayView, figure: LayerFigure): string[] {
  return view.shown.flatMap((report) => {
    const own = view.reports[report]!;
    const reasons = new Map<string, number[]>();
    for (const layer of own.layers) {
      if (figureOf(layer, figure)) continue;
      const reason = reasonOf(own, layer, figure);
      reasons.set(reason, [...(reasons.get(reason) ?? []), layer.index]);
    }
    return [...reasons].map(([reason, layers]) => {
      const which = layers.length === own.layers.length ? "" : `, ${namedLayers(layers)}`;
      return `${view.names[report]!}${which}: ${figureNames[figure]()}: ${reason}`;
    });
  });
}

function notDrawn(
  view: OverlayView,
  all: readonly OverlaySeries[],
  drawn: readonly OverlaySeries[],
): string[] {
  return all.flatMap(({ report, points }, n) => {
    const left = points.filter((point) => !drawn[n]!.points.includes(point));
    if (left.length === 0) return [];
    const layers = namedLayers(left.map(({ layer }) => layer));
    return [
      t(
        "{0}, {1}: a log scale has no place for costs at or below zero",
        view.names[report]!,
        layers,
      ),
    ];
  });
}

function isInSight(place: number, { visible }: OverlayView): boolean {
  return visible === undefined || (place >= visible.min && place <= visible.max);
}
