/** One chart over places on the layer axis, on one canvas, drawn with Chart.js. */
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
} from "chart.js";
import { LineWithErrorBarsController, PointWithErrorBar } from "chartjs-chart-error-bars";
import Annotation, { type AnnotationOptions } from "chartjs-plugin-annotation";
import Zoom from "chartjs-plugin-zoom";
import { allLayers, type LayerRange, type ValueAxis } from "./axis";
import { crosshair, layerScale, rightPadding, valueScale, type PlaceTicks } from "./layerScales";
import { faded, type Palette } from "./theme";

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

/** What stands in a chart. Places are whole numbers from 0 to one less than there are. */
export interface PlaceDrawing {
  places: number;
  /** The part of the layer axis that is looked at; all of it when absent. */
  visible?: LayerRange;
  axis: ValueAxis;
  isEmpty: boolean;
  /** What is drawn, each with its `order` from the front to the back. */
  datasets: PlaceDataset[];
  /** What stands behind it. */
  annotations: AnnotationOptions[];
  /** What stands at the places of the axis; their numbers unless given. */
  ticks?: PlaceTicks;
  /** The name of a place on the axis while it is highlighted. */
  placeText: (place: number) => string;
  palette: Palette;
}

export type PlaceDataset = ChartDataset<ChartKind, PlacePoint[]>;

/** `y` is NaN where there is no figure, which leaves a gap. */
export interface PlacePoint {
  x: number;
  y: number;
  yMin: number;
  yMax: number;
}

export interface PlaceChartOptions {
  /** Undefined: the canvas follows its container. Else the scale of its size in CSS pixels. */
  fixed?: { scale: number };
  onZoom?: (range: LayerRange) => void;
}

export class PlaceChart {
  private readonly chart: Chart<ChartKind, PlacePoint[]>;
  private highlighted: number | undefined;

  constructor(
    canvas: HTMLCanvasElement,
    private drawing: PlaceDrawing,
    private readonly options: PlaceChartOptions = {},
  ) {
    this.chart = new Chart<ChartKind, PlacePoint[]>(canvas, {
      type: "line",
      data: { datasets: drawing.datasets },
      options: chartOptions(drawing, options),
      plugins: [
        crosshair(() => {
          const { highlighted: layer } = this;
          if (layer === undefined) return undefined;
          const { placeText, palette } = this.drawing;
          return { layer, text: placeText(layer), palette };
        }),
      ],
    });
  }

  show(drawing: PlaceDrawing): void {
    this.drawing = drawing;
    this.chart.data.datasets = drawing.datasets;
    this.chart.options = chartOptions(drawing, this.options);
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
    const { places } = this.drawing;
    if (!axis || places === 0) return undefined;
    const place = Math.round(axis.getValueForPixel(offsetX) ?? 0);
    return Math.min(places - 1, Math.max(0, place));
  }

  destroy(): void {
    this.chart.destroy();
  }
}

/** Marks small where places are many, so that neighbours stay apart: a share of their distance. */
export function markRadius(
  chart: Pick<Chart, "chartArea">,
  places: number,
  { share, most }: { share: number; most: number },
): number {
  // The area is not known until the first layout.
  const width = (chart.chartArea as Chart["chartArea"] | undefined)?.width ?? 500;
  return Math.min(most, Math.max(1.5, (width / Math.max(1, places)) * share));
}

/** Intervals alone, without the points they belong to. */
export function errorBars(
  order: number,
  data: PlacePoint[],
  colour: string,
  whisker: (chart: Pick<Chart, "chartArea">) => number,
): PlaceDataset {
  return {
    type: "lineWithErrorBars",
    order,
    data,
    pointRadius: 0,
    borderWidth: 0,
    showLine: false,
    errorBarColor: colour,
    errorBarLineWidth: 1.25,
    errorBarWhiskerColor: colour,
    errorBarWhiskerLineWidth: 1.25,
    errorBarWhiskerRatio: 0,
    errorBarWhiskerSize: ({ chart }) => whisker(chart),
  };
}

type ChartKind = "bar" | "line" | "lineWithErrorBars";

function chartOptions(
  { places, visible, axis, isEmpty, annotations, ticks, palette }: PlaceDrawing,
  { fixed, onZoom }: PlaceChartOptions,
): ChartConfiguration<ChartKind, PlacePoint[]>["options"] & object {
  return {
    animation: false,
    responsive: fixed === undefined,
    maintainAspectRatio: false,
    ...(fixed ? { devicePixelRatio: fixed.scale } : {}),
    events: [],
    clip: 4,
    layout: { padding: { top: 6, right: rightPadding, bottom: 0, left: 0 } },
    scales: {
      x: layerScale(visible ?? allLayers(places), places, palette, ticks),
      y: valueScale(axis, palette, isEmpty),
    },
    plugins: {
      annotation: { annotations },
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
            const { x } = chart.scales;
            if (x) onZoom?.({ min: Math.round(x.min), max: Math.round(x.max) });
          },
        },
      },
    },
  };
}
