/** Axes whose ends and ticks are round numbers, so that they seldom move while figures come in. */
import { figure } from "../../src/report/format";

export interface ValueAxis {
  kind: "linear" | "log";
  min: number;
  max: number;
  ticks: number[];
}

/** Part of the layer axis: from half a layer before the first to half a layer after the last. */
export interface LayerRange {
  min: number;
  max: number;
}

export function allLayers(layers: number): LayerRange {
  return { min: -0.5, max: Math.max(1, layers) - 0.5 };
}

/**
 * From zero, or below it where a figure is; ends on a tick, unless an interval reaches only a little
 * below zero: then it gets that little.
 */
export function linearAxis(values: readonly number[]): ValueAxis {
  const known = values.filter(Number.isFinite);
  const low = Math.min(0, ...known);
  const high = Math.max(0, ...known);
  // Differences too small to be told from zero have no round steps between them.
  if (high - low < 1e-300) return { kind: "linear", min: 0, max: 1, ticks: [0, 0.5, 1] };
  const step = roundStep((high - low) / 4);
  const isBarelyNegative = low < 0 && low > -step / 4;
  const first = isBarelyNegative ? 0 : Math.floor(low / step + slack);
  const last = Math.ceil(high / step - slack);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => clean((first + i) * step));
  const min = isBarelyNegative ? -step / 4 : ticks[0]!;
  return { kind: "linear", min, max: ticks[ticks.length - 1]!, ticks };
}

/** From and to a 1, 2 or 5 times a power of ten; figures at or below zero have no place on it. */
export function logAxis(values: readonly number[]): ValueAxis {
  const known = values.filter((value) => Number.isFinite(value) && value > 0);
  if (known.length === 0) return { kind: "log", min: 0.1, max: 10, ticks: [0.1, 1, 10] };
  const min = roundDown(Math.min(...known));
  const max = roundUp(Math.max(...known, min * 2));
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  const inside = (value: number) => value >= min * (1 - slack) && value <= max * (1 + slack);
  const decades = Array.from({ length: last - first + 1 }, (_, i) => power(first + i));
  const steps = decades.flatMap((decade) => [1, 2, 5].map((factor) => clean(factor * decade)));
  if (Math.log10(max / min) < 2) return { kind: "log", min, max, ticks: steps.filter(inside) };
  const whole = decades.filter(inside);
  const stride = Math.ceil(whole.length / 6);
  return { kind: "log", min, max, ticks: whole.filter((_, i) => i % stride === 0) };
}

/** A tick as short as it can be told: `0.5`, `100`, `10⁻⁴`, `5×10⁵`. */
export function tickText(value: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e5) return String(value).replace("-", "−");
  return figure(value)
    .replace(/\.?0+(?=×)/, "")
    .replace(/^(−?)1×/, "$1");
}

/** Every how many layers the layer axis has a label, so that labels keep their distance. */
export function layerStep(layers: number, width: number): number {
  const room = Math.max(1, Math.floor(width / 34));
  const step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 500].find((one) => layers / one <= room);
  return step ?? 1000;
}

/** Tolerance of ratios that floating point leaves a hair beside a whole number. */
const slack = 1e-9;

function roundStep(value: number): number {
  const decade = power(Math.floor(Math.log10(value)));
  const factor = [1, 2, 2.5, 5, 10].find((one) => one * decade >= value * (1 - slack)) ?? 10;
  return clean(factor * decade);
}

function roundDown(value: number): number {
  const decade = power(Math.floor(Math.log10(value)));
  const factor = [5, 2, 1].find((one) => one * decade <= value * (1 + slack)) ?? 1;
  return clean(factor * decade);
}

function roundUp(value: number): number {
  const decade = power(Math.floor(Math.log10(value)));
  const factor = [1, 2, 5, 10].find((one) => one * decade >= value * (1 - slack)) ?? 10;
  return clean(factor * decade);
}

function power(exponent: number): number {
  return Number(`1e${exponent}`);
}

/** Takes off what multiplication added: 3 · 0.1 is 0.3. */
function clean(value: number): number {
  return Number(value.toPrecision(12));
}
