/** The two axes that charts over layers share, and the line that marks a layer, for Chart.js. */
import type { Chart, ChartType, Plugin } from "chart.js";
import { faded, type Palette } from "./theme";
import { layerStep, tickText, type LayerRange, type ValueAxis } from "./axis";

/** Width of the value axis: the same in every chart, so that layers stand above each other. */
export const valueAxisWidth = 54;
export const rightPadding = 10;
const tickSize = 11;
const tickPadding = 7;

/** What stands at which places of the layer axis. */
export interface PlaceTicks {
  values: readonly number[];
  text: (place: number) => string;
}

/** @param tick what stands at a layer of the axis; its index unless given */
export function layerScale(range: LayerRange, layers: number, palette: Palette, tick?: PlaceTicks) {
  return {
    type: "linear" as const,
    min: range.min,
    max: range.max,
    // Bars would otherwise narrow the axis of their chart, and layers stand no longer in line.
    offset: false,
    afterBuildTicks: (axis: ScaleAtWork) => {
      const width = axis.chart.width - valueAxisWidth - rightPadding;
      const step = layerStep(range.max - range.min, width);
      const first = Math.ceil(Math.max(0, range.min) / step);
      const last = Math.floor(range.max / step);
      const values =
        tick?.values ??
        Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * step);
      axis.ticks = values.map((value) => ({ value }));
    },
    ticks: {
      display: layers > 0,
      color: palette.muted,
      font: { family: palette.fontFamily, size: tickSize },
      padding: tickPadding,
      maxRotation: 0,
      autoSkip: false,
      callback: (value: number | string) =>
        tick ? tick.text(Number(value)) : String(Number(value)),
    },
    grid: { display: false, drawTicks: false },
    border: { color: palette.grid },
  };
}

export function valueScale(valueAxis: ValueAxis, palette: Palette, isEmpty: boolean) {
  return {
    type: valueAxis.kind === "log" ? ("logarithmic" as const) : ("linear" as const),
    min: valueAxis.min,
    max: valueAxis.max,
    afterBuildTicks: (axis: ScaleAtWork) => {
      axis.ticks = valueAxis.ticks.map((value) => ({ value }));
    },
    afterFit: (axis: ScaleAtWork) => {
      axis.width = valueAxisWidth;
    },
    ticks: {
      color: palette.muted,
      font: { family: palette.fontFamily, size: tickSize },
      padding: 8,
      autoSkip: false,
      display: !isEmpty,
      callback: (value: number | string) => tickText(Number(value)),
    },
    grid: { color: palette.grid, drawTicks: false, display: !isEmpty },
    border: { display: false },
  };
}

/** The highlighted layer: its column behind the figures, its name on the layer axis. */
export function crosshair<Kind extends ChartType>(
  highlighted: () => { layer: number; text: string; palette: Palette } | undefined,
): Plugin<Kind> {
  return {
    id: "crosshair",
    beforeDatasetsDraw: ({ ctx, chartArea, scales }) => {
      const mark = highlighted();
      const place = mark && placeOf(mark.layer, scales["x"]);
      if (!place) return;
      const { foreground, highContrast } = mark.palette;
      ctx.save();
      ctx.fillStyle = faded(foreground, highContrast ? 0 : 0.1);
      ctx.fillRect(place.left, chartArea.top, place.width, chartArea.height);
      ctx.strokeStyle = faded(foreground, highContrast ? 1 : 0.55);
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(place.centre, chartArea.top);
      ctx.lineTo(place.centre, chartArea.bottom);
      ctx.stroke();
      ctx.restore();
    },
    afterDraw: ({ ctx, chartArea, scales }) => {
      const mark = highlighted();
      const place = mark && placeOf(mark.layer, scales["x"]);
      if (!place) return;
      const { foreground, background, fontFamily } = mark.palette;
      ctx.save();
      ctx.font = `600 ${tickSize}px ${fontFamily}`;
      const width = ctx.measureText(mark.text).width + 10;
      // The name stands where the axis has its own, and hides it.
      const middle = chartArea.bottom + tickPadding + tickSize * 0.6;
      ctx.fillStyle = foreground;
      ctx.beginPath();
      ctx.roundRect(place.centre - width / 2, middle - 8.5, width, 17, 3);
      ctx.fill();
      ctx.fillStyle = background;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(mark.text, place.centre, middle + 0.5);
      ctx.restore();
    },
  };
}

interface ScaleAtWork {
  chart: { width: number };
  ticks: { value: number }[];
  width: number;
}

function placeOf(
  layer: number,
  axis: Chart["scales"][string] | undefined,
): { left: number; centre: number; width: number } | undefined {
  if (!axis || layer < axis.min || layer > axis.max) return undefined;
  const left = axis.getPixelForValue(layer - 0.5);
  const width = axis.getPixelForValue(layer + 0.5) - left;
  return { left, centre: left + width / 2, width };
}
