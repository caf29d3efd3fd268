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
  /** True when values above `max` share its colour. */
  isOpenAbove: boolean;
}

/**
 * ΔNLL below this many nats per token, 0.1% of perplexity, shares one colour: a log scale has no
 * place for the zero and the chance negatives of layers that cost nothing.
 */
export const pruningFloor = 0.001;

/** One for each run; a colour stands for the same figure in all of them. */
export function heatMapsOf(
  runs: readonly (readonly RunStepReport[])[],
  figure: RunFigure,
): HeatMap[] {
  const maps = runs.map((steps) => {
    const layers = layersOf(steps);
    return { figure, layers, columns: columnsOf(steps, figure, layers) };
  });
  const values = maps.flatMap(({ columns }) => columns.flat()).flatMap((cell) => cell?.value ?? []);
  const most = Math.max(0, ...maps.map(({ layers }) => layers));
  const scale = scaleOf(values, figure, most);
  return maps.map((map) => ({ ...map, scale }));
}

function columnsOf(
  steps: readonly RunStepReport[],
  figure: RunFigure,
  layers: number,
): HeatMap["columns"] {
  return steps.map(({ report }) => {
    const byIndex = new Map(report?.layers.map((layer) => [layer.index, layer]));
    return Array.from({ length: layers }, (_, index) => figureOf(byIndex.get(index), figure));
  });
}

/**
 * Logarithmic, because all three figures are multiplicative, unless one of them is exactly zero. The
 * first layer's Jacobian and cost are often a hundred times the rest: where the highest figures, one
 * layer's worth of them, would take more than a third of the colours, they share one.
 */
export function scaleOf(values: readonly number[], figure: RunFigure, layers = 1): ColourScale {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const low = sorted.at(0);
  const high = sorted.at(-1);
  const closed = { isOpenBelow: false, isOpenAbove: false };
  if (low === undefined || high === undefined) return { kind: "log", min: 0.1, max: 10, ...closed };
  if (low <= 0 && figure !== "pruning") {
    return { kind: "linear", min: low, max: high > low ? high : low + 1, ...closed };
  }
  const min = figure === "pruning" ? Math.max(low, pruningFloor) : low;
  const rest = sorted[sorted.length - 1 - Math.ceil(sorted.length / layers)];
  const isOpenAbove =
    layers >= 6 &&
    rest !== undefined &&
    rest > min * 2 &&
    Math.log(rest / min) < (2 / 3) * Math.log(high / min);
  return {
    kind: "log",
    min,
    // A range of nothing would divide by zero: it gets a factor of two.
    max: Math.max(isOpenAbove ? rest : high, min * 2),
    isOpenBelow: low < min,
    isOpenAbove,
  };
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
