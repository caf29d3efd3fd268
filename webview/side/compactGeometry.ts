/** Where a chart model's marks lie in a small drawing, in CSS pixels. */
import { allLayers } from "../shared/axis";
import type { ChartModel, MeasuredPoint } from "../panel/chartModel";

export interface Size {
  width: number;
  height: number;
}

export interface Geometry {
  /** The rectangle that the values are drawn in. */
  plot: { left: number; top: number; right: number; bottom: number };
  /** From one layer to the next. */
  step: number;
  x: (layer: number) => number;
  /** Values that have no place on the axis are put at its nearer end. */
  y: (value: number) => number;
  /** The layer nearest to a place; undefined while there are none. */
  layerAt: (x: number) => number | undefined;
}

/** Room for the value axis: the same in every chart, so that layers stand above each other. */
const margins = { left: 38, top: 7, right: 8, bottom: 18 };

export function geometryOf({ layers, axis }: ChartModel, { width, height }: Size): Geometry {
  const plot = {
    left: margins.left,
    top: margins.top,
    right: Math.max(margins.left + 1, width - margins.right),
    bottom: Math.max(margins.top + 1, height - margins.bottom),
  };
  const range = allLayers(layers);
  const step = (plot.right - plot.left) / (range.max - range.min);
  const along = axis.kind === "log" ? Math.log : (value: number) => value;
  const [low, high] = [along(axis.min), along(axis.max)];
  return {
    plot,
    step,
    x: (layer) => plot.left + (layer - range.min) * step,
    y: (value) => {
      const inside = Math.min(axis.max, Math.max(axis.min, value));
      return plot.bottom - ((along(inside) - low) / (high - low)) * (plot.bottom - plot.top);
    },
    layerAt: (x) => {
      if (layers === 0) return undefined;
      const layer = Math.round((x - plot.left) / step + range.min);
      return Math.min(layers - 1, Math.max(0, layer));
    },
  };
}

/** The line through the figures of neighbouring layers; a layer without a figure interrupts it. */
export function linePath(points: readonly MeasuredPoint[], { x, y }: Geometry): string {
  return points
    .map((point, i) => {
      const follows = i > 0 && points[i - 1]!.layer === point.layer - 1;
      return `${follows ? "L" : "M"}${round(x(point.layer))} ${round(y(point.value))}`;
    })
    .join("");
}

/** The area between the ends of the intervals, one piece for each run of neighbouring layers. */
export function bandPath(points: readonly MeasuredPoint[], { x, y }: Geometry): string {
  const place = (layer: number, value: number) => `${round(x(layer))} ${round(y(value))}`;
  return runsOf(points)
    .map((run) => {
      const top = run.map((point) => place(point.layer, point.high));
      const bottom = run.toReversed().map((point) => place(point.layer, point.low));
      return `M${[...top, ...bottom].join("L")}Z`;
    })
    .join("");
}

/** Small where layers are many, so that neighbours stay apart. */
export function markRadius({ step }: Geometry): number {
  return Math.min(3.2, Math.max(1.2, step * 0.32));
}

/** A tenth of a pixel is as fine as anyone sees. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function runsOf(points: readonly MeasuredPoint[]): MeasuredPoint[][] {
  const runs: MeasuredPoint[][] = [];
  for (const point of points) {
    const run = runs.at(-1);
    if (run?.at(-1)?.layer === point.layer - 1) run.push(point);
    else runs.push([point]);
  }
  return runs;
}
