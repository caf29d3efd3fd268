/** How a chart model is drawn: its figures, what stands behind them, and the marks of the verdicts. */
import type { Chart, PointStyle } from "chart.js";
import type { AnnotationOptions } from "chartjs-plugin-annotation";
import type { Verdict } from "../../src/report/verdict";
import {
  errorBars,
  markRadius,
  type PlaceDataset,
  type PlaceDrawing,
  type PlacePoint,
} from "../shared/placeChart";
import { faded, type Palette } from "../shared/theme";
import {
  verdictRuns,
  type BelowAxis,
  type ChartModel,
  type CurveSeries,
  type SeriesPoint,
} from "./chartModel";
import { curveDashes, referenceDash } from "./curveDashes";

export function layerDrawing(model: ChartModel, palette: Palette): PlaceDrawing {
  return {
    places: model.layers,
    ...(model.visible ? { visible: model.visible } : {}),
    axis: model.axis,
    isEmpty: model.emptiness !== undefined,
    datasets: datasets(model, palette),
    annotations: annotations(model, palette),
    placeText: String,
    palette,
  };
}

/** Verdicts by shape: filled needed, hollow free, a hollow diamond uncertain, a dot where none. */
export const verdictShapes: Readonly<Record<Verdict, { style: PointStyle; filled: boolean }>> = {
  needed: { style: "circle", filled: true },
  free: { style: "circle", filled: false },
  uncertain: { style: "rectRot", filled: false },
};

/** A tint behind every run of layers of one verdict, and the reference line. */
function annotations(model: ChartModel, palette: Palette): AnnotationOptions[] {
  const tints = verdictRuns(model.verdicts).map(({ verdict, first, last }): AnnotationOptions => ({
    type: "box",
    drawTime: "beforeDraw",
    xMin: first - 0.5,
    xMax: last + 0.5,
    backgroundColor: palette.highContrast
      ? "transparent"
      : faded(palette[verdict], tintStrengths[verdict]),
    borderWidth: palette.highContrast ? 1 : 0,
    borderColor: palette[verdict],
    borderDash: [2, 2],
  }));
  const { reference, axis } = model;
  const inside = reference && reference.value > axis.min && reference.value < axis.max;
  if (!inside || model.emptiness !== undefined) return tints;
  return [
    ...tints,
    {
      type: "line",
      drawTime: "beforeDatasetsDraw",
      yMin: reference.value,
      yMax: reference.value,
      borderColor: palette.muted,
      borderWidth: 1,
      borderDash: [...referenceDash],
    },
  ];
}

const tintStrengths: Readonly<Record<Verdict, number>> = {
  needed: 0.07,
  free: 0.13,
  uncertain: 0.09,
};

/** From the back to the front: band, curves, bars, error bars, points. */
function datasets(model: ChartModel, palette: Palette): PlaceDataset[] {
  const points = pointsOf(model);
  const colour = palette.measured;
  const shapes = points.map(({ x }) => {
    const verdict = model.verdicts[x];
    return verdict === undefined ? undefined : verdictShapes[verdict];
  });
  return [
    {
      type: "line",
      order: 1,
      data: points,
      showLine: false,
      pointStyle: shapes.map((shape) => shape?.style ?? "circle"),
      pointBackgroundColor: shapes.map((shape) =>
        shape?.filled === false ? palette.background : colour,
      ),
      pointBorderColor: colour,
      pointBorderWidth: 1.5,
      pointRadius: ({ chart, dataIndex }) => {
        const radius = pointRadius(chart, model);
        const shape = shapes[dataIndex];
        if (!shape) return radius * 0.75;
        // A diamond of the same radius looks smaller than a circle.
        return shape.style === "rectRot" ? radius * 1.3 : radius;
      },
    },
    errorBars(2, points, palette.measured, whisker(model)),
    ...(model.measured.bars ? [bars(points, palette)] : []),
    ...(model.belowAxis ? belowAxis(model.belowAxis, model, palette) : []),
    ...model.curves.flatMap((curve) => curveDatasets(curve, model, palette)),
    ...(model.measured.band
      ? [
          {
            type: "line" as const,
            order: 5,
            data: points.map((point) => ({ ...point, y: point.yMax })),
            ...unseen,
            fill: "+1",
            backgroundColor: faded(colour, 0.22),
          },
          {
            type: "line" as const,
            order: 6,
            data: points.map((point) => ({ ...point, y: point.yMin })),
            ...unseen,
          },
        ]
      : []),
  ];
}

const unseen = { pointRadius: 0, borderWidth: 0 } as const;

function whisker(model: ChartModel): (chart: Pick<Chart, "chartArea">) => number {
  return (chart) => pointRadius(chart, model) * 1.8;
}

function bars(points: PlacePoint[], palette: Palette): PlaceDataset {
  return {
    type: "bar",
    order: 3,
    data: points,
    grouped: false,
    barPercentage: 0.64,
    categoryPercentage: 1,
    backgroundColor: faded(palette.measured, palette.highContrast ? 0 : 0.3),
    borderColor: palette.measured,
    borderWidth: palette.highContrast ? 1 : 0,
  };
}

/** Hollow triangles that point out of the chart, and the part of their intervals that is within it. */
function belowAxis({ points }: BelowAxis, model: ChartModel, palette: Palette): PlaceDataset[] {
  const floor = model.axis.min;
  const data = points.map(({ layer, high }) => ({
    x: layer,
    y: floor,
    yMin: floor / beyond,
    yMax: Math.max(floor / beyond, high),
  }));
  return [
    {
      type: "line",
      order: 1,
      data,
      showLine: false,
      // The marks stand on the edge of the chart.
      clip: 10,
      pointStyle: "triangle",
      pointRotation: 180,
      pointBackgroundColor: palette.background,
      pointBorderColor: palette.measured,
      pointBorderWidth: 1.5,
      pointRadius: ({ chart }) => pointRadius(chart, model) * 1.25,
    },
    errorBars(2, data, palette.measured, whisker(model)),
  ];
}

/** A line, with the errors of what was measured; another run's figures have points as well. */
function curveDatasets(curve: CurveSeries, model: ChartModel, palette: Palette): PlaceDataset[] {
  const { axis, layers } = model;
  const data = curve.points.map((point) => placePoint(point, axis));
  const colour = palette[curve.role];
  const isMeasured = curve.points.some(({ high }) => high !== undefined);
  return [
    {
      type: "line",
      order: isMeasured ? 2.5 : 4,
      // A line over a layer that has no figure would claim one.
      data: isMeasured ? atEveryLayer(data, layers) : data,
      ...(curve.role === "otherRun"
        ? {
            pointStyle: "rectRot" as const,
            pointBackgroundColor: colour,
            pointBorderColor: colour,
            pointRadius: ({ chart }) => pointRadius(chart, model),
          }
        : { pointRadius: 0 }),
      borderColor: colour,
      borderWidth: 1.5,
      borderDash: [...curveDashes[curve.role]],
    },
    ...(isMeasured ? [errorBars(2.6, data, colour, whisker(model))] : []),
  ];
}

/** An interval that leaves a logarithmic axis has no end in sight. */
function placePoint(
  { layer, value, low = value, high = value }: SeriesPoint,
  axis: ChartModel["axis"],
): PlacePoint {
  const isCut = axis.kind === "log" && low < axis.min;
  return { x: layer, y: value, yMin: isCut ? axis.min / beyond : low, yMax: high };
}

/** So many times below the floor of a logarithmic axis lies what is cut there. */
const beyond = 100;

/** One point for every layer. */
function pointsOf({ layers, measured, axis }: ChartModel): PlacePoint[] {
  return atEveryLayer(
    measured.points.map((point) => placePoint(point, axis)),
    layers,
  );
}

function atEveryLayer(points: readonly PlacePoint[], layers: number): PlacePoint[] {
  const known = new Map(points.map((point) => [point.x, point]));
  return Array.from(
    { length: layers },
    (_, x) => known.get(x) ?? { x, y: NaN, yMin: NaN, yMax: NaN },
  );
}

function pointRadius(chart: Pick<Chart, "chartArea">, { layers }: ChartModel): number {
  return markRadius(chart, layers, { share: 0.3, most: 4 });
}
