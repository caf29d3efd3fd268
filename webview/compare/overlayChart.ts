/** Draws one overlaid chart on one canvas with Chart.js. */
import {
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  type ChartConfiguration,
  type ChartDataset,
} from "chart.js";
import { LineWithErrorBarsController, PointWithErrorBar } from "chartjs-chart-error-bars";
import Zoom from "chartjs-plugin-zoom";
import { allLayers, type LayerRange } from "../panel/axis";
import { crosshair, layerScale, rightPadding, valueScale } from "../panel/layerScales";
import { faded, type Palette } from "../shared/theme";
import type { OverlayModel, OverlaySeries } from "./overlayModel";
import { seriesStyles } from "./seriesStyles";

Chart.register(
  LinearScale,
  LineController,
  LineElement,
  LineWithErrorBarsController,
  LogarithmicScale,
  PointElement,
  PointWithErrorBar,
  Zoom,
);

/** The theme's colours, and one for each report. */
export interface OverlayPalette {
  theme: Palette;
  series: readonly string[];
}

export interface OverlayChartOptions {
  /** Undefined: the canvas follows its container. Else the scale of its size in CSS pixels. */
  fixed?: { scale: number };
  onZoom?: (range: LayerRange) => void;
}

export class OverlayChart {
  private readonly chart: Chart<ChartKind, ChartPoint[]>;
  private highlighted: number | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    private model: OverlayModel,
    private palette: OverlayPalette,
    private readonly options: OverlayChartOptions = {},
  ) {
    this.chart = new Chart<ChartKind, ChartPoint[]>(canvas, {
      type: "line",
      data: { datasets: datasets(model, palette) },
      options: chartOptions(model, palette, options),
      plugins: [
        crosshair(() => {
          const { highlighted: layer } = this;
          if (layer === undefined) return undefined;
          return { layer, text: placeText(this.model, layer), palette: this.palette.theme };
        }),
      ],
    });
  }

  show(model: OverlayModel, palette: OverlayPalette): void {
    this.model = model;
    this.palette = palette;
    this.chart.data.datasets = datasets(model, palette);
    this.chart.options = chartOptions(model, palette, this.options);
    this.chart.update("none");
  }

  highlight(place: number | undefined): void {
    if (place === this.highlighted) return;
    this.highlighted = place;
    this.chart.draw();
  }

  /** The place on the layer axis that is nearest to a point of the canvas. */
  placeAt(offsetX: number): number | undefined {
    const axis = this.chart.scales["x"];
    if (!axis || this.model.places === 0) return undefined;
    const place = Math.round(axis.getValueForPixel(offsetX) ?? 0);
    return Math.min(this.model.places - 1, Math.max(0, place));
  }

  destroy(): void {
    this.chart.destroy();
  }
}

/** `7`, or `44%` where layers stand by their relative depth. */
export function placeText({ isRelative, places }: OverlayModel, place: number): string {
  return isRelative ? `${Math.round((100 * place) / Math.max(1, places - 1))}%` : String(place);
}

type ChartKind = "line" | "lineWithErrorBars";

interface ChartPoint {
  x: number;
  y: number;
  yMin: number;
  yMax: number;
}

function chartOptions(
  model: OverlayModel,
  { theme }: OverlayPalette,
  { fixed, onZoom }: OverlayChartOptions,
): ChartConfiguration<ChartKind, ChartPoint[]>["options"] & object {
  const range = model.visible ?? allLayers(model.places);
  const quarters = {
    values: [0, 0.25, 0.5, 0.75, 1].map((share) => share * Math.max(1, model.places - 1)),
    text: (place: number) => placeText(model, place),
  };
  return {
    animation: false,
    responsive: fixed === undefined,
    maintainAspectRatio: false,
    ...(fixed ? { devicePixelRatio: fixed.scale } : {}),
    events: [],
    clip: 4,
    layout: { padding: { top: 6, right: rightPadding, bottom: 0, left: 0 } },
    scales: {
      x: layerScale(range, model.places, theme, model.isRelative ? quarters : undefined),
      y: valueScale(model.axis, theme, model.emptiness !== undefined),
    },
    plugins: {
      zoom: {
        zoom: {
          mode: "x",
          drag: {
            enabled: onZoom !== undefined,
            threshold: 8,
            backgroundColor: faded(theme.foreground, 0.12),
            borderColor: theme.foreground,
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

/** Each report's line with its points before its error bars; the first report is in front. */
function datasets(
  model: OverlayModel,
  palette: OverlayPalette,
): ChartDataset<ChartKind, ChartPoint[]>[] {
  return model.series.flatMap((series, n) => seriesDatasets(model, series, n, palette));
}

function seriesDatasets(
  model: OverlayModel,
  { report, points }: OverlaySeries,
  n: number,
  { theme, series }: OverlayPalette,
): ChartDataset<ChartKind, ChartPoint[]>[] {
  const colour = series[report] ?? theme.foreground;
  const { dash, marker, filled } = seriesStyles[report] ?? seriesStyles[0]!;
  const floor = model.axis.kind === "log" ? model.axis.min : -Infinity;
  // Side by side, or the error bars of one report would hide those of another.
  const aside = (n - (model.series.length - 1) / 2) * 0.09;
  const data = points.map(({ place, value, low, high }) => ({
    x: place + aside,
    y: value,
    yMin: Math.max(floor, low),
    yMax: high,
  }));
  return [
    {
      type: "line",
      order: 2 * n + 1,
      data,
      borderColor: faded(colour, theme.highContrast ? 1 : 0.75),
      borderWidth: 1.5,
      borderDash: [...dash],
      pointStyle: marker,
      pointBackgroundColor: filled ? colour : theme.background,
      pointBorderColor: colour,
      pointBorderWidth: 1.5,
      pointRadius: ({ chart }) => pointRadius(chart, model) * (marker === "rectRot" ? 1.25 : 1),
    },
    {
      type: "lineWithErrorBars",
      order: 2 * n + 2,
      data,
      pointRadius: 0,
      borderWidth: 0,
      showLine: false,
      errorBarColor: colour,
      errorBarLineWidth: 1.25,
      errorBarWhiskerColor: colour,
      errorBarWhiskerLineWidth: 1.25,
      errorBarWhiskerRatio: 0,
      errorBarWhiskerSize: ({ chart }) => pointRadius(chart, model) * 1.6,
    },
  ];
}

/** Small where layers are many, so that neighbours stay apart. */
function pointRadius(chart: Pick<Chart, "chartArea">, model: OverlayModel): number {
  // The area is not known until the first layout.
  const width = (chart.chartArea as Chart["chartArea"] | undefined)?.width ?? 500;
  return Math.min(3.6, Math.max(1.5, (width / Math.max(1, model.places)) * 0.22));
}
