/** Draws one chart model on one canvas with Chart.js. */
import {
  BarController,
  BarElement,
  Chart,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  type ChartConfiguration,
  type ChartDataset,
  type PointStyle,
} from "chart.js";
import { LineWithErrorBarsController, PointWithErrorBar } from "chartjs-chart-error-bars";
import Annotation, { type AnnotationOptions } from "chartjs-plugin-annotation";
import Zoom from "chartjs-plugin-zoom";
import type { Verdict } from "../../src/report/verdict";
import { faded, type Palette } from "../shared/theme";
import { allLayers, type LayerRange } from "./axis";
import { verdictRuns, type BelowAxis, type ChartModel, type CurveSeries } from "./chartModel";
import { curveDashes, referenceDash } from "./curveDashes";
import { crosshair, layerScale, rightPadding, valueScale } from "./layerScales";

Chart.register(
  Annotation,
  BarController,
  BarElement,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LineWithErrorBarsController,
  LogarithmicScale,
  PointElement,
  PointWithErrorBar,
  Zoom,
);

export interface LayerChartOptions {
  /** Undefined: the canvas follows its container. Else its size in CSS pixels and the scale. */
  fixed?: { scale: number };
  onZoom?: (range: LayerRange) => void;
}

export class LayerChart {
  private readonly chart: Chart<ChartKind, ChartPoint[]>;
  private highlighted: number | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    private model: ChartModel,
    private palette: Palette,
    private readonly options: LayerChartOptions = {},
  ) {
    this.chart = new Chart<ChartKind, ChartPoint[]>(canvas, {
      type: "line",
      data: { datasets: datasets(model, palette) },
      options: chartOptions(model, palette, options),
      plugins: [
        crosshair(() => {
          const { highlighted: layer } = this;
          return layer === undefined
            ? undefined
            : { layer, text: String(layer), palette: this.palette };
        }),
      ],
    });
  }

  show(model: ChartModel, palette: Palette): void {
    this.model = model;
    this.palette = palette;
    this.chart.data.datasets = datasets(model, palette);
    this.chart.options = chartOptions(model, palette, this.options);
    this.chart.update("none");
  }

  highlight(layer: number | undefined): void {
    if (layer === this.highlighted) return;
    this.highlighted = layer;
    this.chart.draw();
  }

  /** The layer whose place on the axis is nearest to a point of the canvas. */
  layerAt(offsetX: number): number | undefined {
    const axis = this.chart.scales["x"];
    if (!axis || this.model.layers === 0) return undefined;
    const layer = Math.round(axis.getValueForPixel(offsetX) ?? 0);
    return Math.min(this.model.layers - 1, Math.max(0, layer));
  }

  destroy(): void {
    this.chart.destroy();
  }
}

/** Verdicts by shape: filled needed, hollow free, a hollow diamond uncertain, a dot where none. */
export const verdictShapes: Readonly<Record<Verdict, { style: PointStyle; filled: boolean }>> = {
  needed: { style: "circle", filled: true },
  free: { style: "circle", filled: false },
  uncertain: { style: "rectRot", filled: false },
};

type ChartKind = "bar" | "line" | "lineWithErrorBars";

/** `y` is NaN where there is no figure, which leaves a gap. */
interface ChartPoint {
  x: number;
  y: number;
  yMin: number;
  yMax: number;
}

function chartOptions(
  model: ChartModel,
  palette: Palette,
  { fixed, onZoom }: LayerChartOptions,
): ChartConfiguration<ChartKind, ChartPoint[]>["options"] & object {
  const range = model.visible ?? allLayers(model.layers);
  return {
    animation: false,
    responsive: fixed === undefined,
    maintainAspectRatio: false,
    ...(fixed ? { devicePixelRatio: fixed.scale } : {}),
    events: [],
    clip: 4,
    layout: { padding: { top: 6, right: rightPadding, bottom: 0, left: 0 } },
    scales: {
      x: layerScale(range, model.layers, palette),
      y: valueScale(model.axis, palette, model.emptiness !== undefined),
    },
    plugins: {
      annotation: { annotations: annotations(model, palette) },
      zoom: {
        zoom: {
          mode: "x",
          drag: {
            enabled: onZoom !== undefined,
            threshold: 8,
            backgroundColor: faded(palette.foreground, 0.12),
            borderColor: palette.foreground,
            borderWidth: 1,
          },
          onZoomComplete: ({ chart }) => {
            const axis = chart.scales["x"];
            if (axis) onZoom?.({ min: Math.round(axis.min), max: Math.round(axis.max) });
          },
        },
      },
    },
  };
}

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
function datasets(model: ChartModel, palette: Palette): ChartDataset<ChartKind, ChartPoint[]>[] {
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
    { ...errorBars(model, palette), data: points },
    ...(model.measured.bars ? [bars(points, palette)] : []),
    ...(model.belowAxis ? belowAxis(model.belowAxis, model, palette) : []),
    ...model.curves.map((curve) => curveDataset(curve, palette)),
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

function errorBars(
  model: ChartModel,
  { measured }: Palette,
): Omit<ChartDataset<"lineWithErrorBars", ChartPoint[]>, "data"> {
  return {
    type: "lineWithErrorBars",
    order: 2,
    ...unseen,
    showLine: false,
    errorBarColor: measured,
    errorBarLineWidth: 1.25,
    errorBarWhiskerColor: measured,
    errorBarWhiskerLineWidth: 1.25,
    errorBarWhiskerRatio: 0,
    errorBarWhiskerSize: ({ chart }) => pointRadius(chart, model) * 1.8,
  };
}

function bars(points: ChartPoint[], palette: Palette): ChartDataset<"bar", ChartPoint[]> {
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
function belowAxis(
  { points }: BelowAxis,
  model: ChartModel,
  palette: Palette,
): ChartDataset<ChartKind, ChartPoint[]>[] {
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
    { ...errorBars(model, palette), data },
  ];
}

function curveDataset(curve: CurveSeries, palette: Palette): ChartDataset<"line", ChartPoint[]> {
  return {
    type: "line",
    order: 4,
    data: curve.points.map(({ layer, value }) => ({
      x: layer,
      y: value,
      yMin: value,
      yMax: value,
    })),
    pointRadius: 0,
    borderColor: palette[curve.role],
    borderWidth: 1.5,
    borderDash: [...curveDashes[curve.role]],
  };
}

/** So many times below the floor of a logarithmic axis lies what is cut there. */
const beyond = 100;

/** One point for every layer; an interval that leaves a logarithmic axis has no end in sight. */
function pointsOf({ layers, measured, axis }: ChartModel): ChartPoint[] {
  const known = new Map(measured.points.map((point) => [point.layer, point]));
  return Array.from({ length: layers }, (_, x) => {
    const point = known.get(x);
    if (!point) return { x, y: NaN, yMin: NaN, yMax: NaN };
    const isCut = axis.kind === "log" && point.low < axis.min;
    const yMin = isCut ? axis.min / beyond : point.low;
    return { x, y: point.value, yMin, yMax: point.high };
  });
}

/** Small where layers are many, so that neighbours stay apart. */
function pointRadius(chart: Pick<Chart, "chartArea">, model: ChartModel): number {
  // The area is not known until the first layout.
  const width = (chart.chartArea as Chart["chartArea"] | undefined)?.width ?? 500;
  return Math.min(4, Math.max(1.5, (width / Math.max(1, model.layers)) * 0.3));
}
