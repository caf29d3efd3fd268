/** The axis of training steps that all charts of a run share. */
import { wholeNumber } from "../../src/report/format";

export interface StepAxis {
  isLog: boolean;
  /** Steps at its ends. */
  min: number;
  max: number;
  /** Share of the axis, 0 … 1, at which a step lies. */
  shareOf: (step: number) => number;
}

/** The steps that have a checkpoint, and how far the losses reach beyond them. */
export interface StepExtent {
  steps: readonly number[];
  losses: readonly number[];
}

export function stepAxis({ steps, losses }: StepExtent, isLog: boolean): StepAxis {
  const all = [...steps, ...losses];
  const first = all.reduce((a, b) => Math.min(a, b), Infinity);
  const last = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const [low, high] = all.length === 0 ? [0, 1] : [first, last];
  // Steps begin at zero, which has no logarithm.
  const scaled = isLog ? Math.log1p : (step: number): number => step;
  const back = isLog ? Math.expm1 : (value: number): number => value;
  // Room for half a column on both sides, as wide as its neighbour is far.
  const ends = steps.toSorted((a, b) => a - b).map(scaled);
  const gap = (a: number | undefined, b: number | undefined): number =>
    a === undefined || b === undefined ? 0 : (b - a) / 2;
  const from = Math.min(scaled(low), (ends[0] ?? scaled(low)) - gap(ends[0], ends[1]));
  const to = Math.max(scaled(high), (ends.at(-1) ?? scaled(high)) + gap(ends.at(-2), ends.at(-1)));
  const start = Math.max(0, from);
  const span = to > start ? to - start : 1;
  return {
    isLog,
    min: back(start),
    max: back(start + span),
    shareOf: (step) => (scaled(step) - start) / span,
  };
}

/** Steps by powers of two or ten, as some runs keep them, would crowd at the start of a plain axis. */
export function isCrowded(steps: readonly number[]): boolean {
  const sorted = steps.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return sorted.length >= 4 && median < 0.15 * (sorted.at(-1) ?? 0);
}

/** Where each step's column begins and ends, as shares of the axis: halfway to its neighbours. */
export function columnEdges(axis: StepAxis, steps: readonly number[]): [number, number][] {
  const places = steps.map(axis.shareOf);
  return places.map((place, i) => {
    const before = places[i - 1];
    const after = places[i + 1];
    const left = before === undefined ? undefined : (before + place) / 2;
    const right = after === undefined ? undefined : (place + after) / 2;
    const reach = right !== undefined ? right - place : left !== undefined ? place - left : 0.5;
    return [
      Math.max(0, left ?? place - reach),
      Math.min(1, right ?? place + (place - (left ?? place - reach))),
    ];
  });
}

/** The step that is nearest to a share of the axis; undefined where there are no steps. */
export function nearestStep(
  axis: StepAxis,
  steps: readonly number[],
  share: number,
): number | undefined {
  const distance = (step: number): number => Math.abs(axis.shareOf(step) - share);
  return steps.reduce<number | undefined>(
    (nearest, step) =>
      nearest === undefined || distance(step) < distance(nearest) ? step : nearest,
    undefined,
  );
}

/** Round steps, as many as have room. */
export function stepTicks(axis: StepAxis, width: number): number[] {
  const room = Math.max(2, Math.floor(width / 72));
  if (axis.isLog) {
    const decades = [0];
    for (let step = 1; step <= axis.max * (1 + 1e-9); step *= 10) decades.push(step);
    const inside = decades.filter((step) => step >= axis.min);
    const stride = Math.ceil(inside.length / room);
    return inside.filter((_, i) => i % stride === 0);
  }
  const rough = (axis.max - axis.min) / room;
  const decade = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((one) => one * decade).find((one) => one >= rough) ?? 10 * decade;
  const first = Math.ceil(axis.min / step);
  const count = Math.floor(axis.max / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

/** `500`, `20k`, `1.5M`: steps are round, and their axis is narrow. */
export function stepTick(step: number): string {
  if (step >= 1e6) return `${Number((step / 1e6).toPrecision(4))}M`;
  if (step >= 1e4) return `${Number((step / 1e3).toPrecision(4))}k`;
  return wholeNumber(step);
}
