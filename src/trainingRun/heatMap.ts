/** A figure over layer × step, and the scale that its colours stand for. */
import { figureOf, layersOf, type Measured, type RunFigure, type RunStepReport } from "./runReport";

export interface HeatMap {
  figure: RunFigure;
  layers: number;
  /** One for each step, each with one entry a layer; undefined where nothing has been measured. */
  columns: (Measured | undefined)[][];
  scale: ColourScale;
}

/** The ends of a scale, and how far between them a value lies. */
export interface ColourScale {
  kind: "linear" | "log";
  min: number;
  max: number;
  /** True when values below `min` share its colour. */
  isOpenBelow: boolean;
}

/**
 * ΔNLL below this many nats per token, 0.1% of perplexity, shares one colour: a log scale has no
 * place for the zero and the chance negatives of layers that cost nothing.
 */
export const pruningFloor = 0.001;

export function heatMapOf(steps: readonly RunStepReport[], figure: RunFigure): HeatMap {
  const layers = layersOf(steps);
  const columns = steps.map(({ report }) => {
    const byIndex = new Map(report?.layers.map((layer) => [layer.index, layer]));
    return Array.from({ length: layers }, (_, index) => figureOf(byIndex.get(index), figure));
  });
  const values = columns.flat().flatMap((cell) => cell?.value ?? []);
  return { figure, layers, columns, scale: scaleOf(values, figure) };
}

/** Logarithmic, because all three figures are multiplicative, unless one of them is exactly zero. */
export function scaleOf(values: readonly number[], figure: RunFigure): ColourScale {
  const finite = values.filter(Number.isFinite);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  if (finite.length === 0) return { kind: "log", min: 0.1, max: 10, isOpenBelow: false };
  if (figure === "pruning") {
    const min = Math.max(low, pruningFloor);
    return { kind: "log", min, max: Math.max(high, min * 2), isOpenBelow: low < pruningFloor };
  }
  // A range of nothing would divide by zero: give it a factor of two.
  return low > 0
    ? { kind: "log", min: low, max: Math.max(high, low * 2), isOpenBelow: false }
    : { kind: "linear", min: low, max: high > low ? high : low + 1, isOpenBelow: false };
}

/** 0 at the lower end of the scale and below, 1 at the upper end and above. */
export function shareOf({ kind, min, max }: ColourScale, value: number): number {
  const share =
    kind === "linear"
      ? (value - min) / (max - min)
      : value <= min
        ? 0
        : Math.log(value / min) / Math.log(max / min);
  return Math.min(1, Math.max(0, share));
}
