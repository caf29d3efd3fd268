/** The curves drawn beside the measured variances: two fits and two theories. */
import type { GrowthLaw } from "../../src/diagnosis/report";

export interface CurvePoint {
  layer: number;
  variance: number;
}

/** σ² = e^(intercept + rate · i) */
export function exponentialFit(
  fit: GrowthLaw["exponential"],
  first: number,
  last: number,
): CurvePoint[] {
  return layersFrom(first, last).map((layer) => ({
    layer,
    variance: Math.exp(fit.intercept + fit.rate * layer),
  }));
}

/** σ² = e^intercept · ℓ^exponent */
export function powerFit(fit: GrowthLaw["power"], first: number, last: number): CurvePoint[] {
  return layersFrom(first, last).map((layer) => ({
    layer,
    variance: Math.exp(fit.intercept) * (layer + 1) ** fit.exponent,
  }));
}

/** Pre-LN: σ²_{ℓ+1} = σ²_ℓ (1 + 1/σ_ℓ) */
export function preLnTheory(start: CurvePoint, last: number): CurvePoint[] {
  return recurrence(start, last, (variance) => variance * (1 + 1 / Math.sqrt(variance)));
}

/** LNS: σ²_{ℓ+1} = σ²_ℓ (1 + 1/(√ℓ σ_ℓ)) */
export function lnsTheory(start: CurvePoint, last: number): CurvePoint[] {
  return recurrence(
    start,
    last,
    (variance, l) => variance * (1 + 1 / (Math.sqrt(l) * Math.sqrt(variance))),
  );
}

/** Steps from the measured start to the last layer; ℓ is the layer stepped from, counted from 1. */
function recurrence(
  start: CurvePoint,
  last: number,
  step: (variance: number, l: number) => number,
): CurvePoint[] {
  const points = [start];
  for (let { layer, variance } = start; layer < last; layer++) {
    variance = step(variance, layer + 1);
    points.push({ layer: layer + 1, variance });
  }
  return points;
}

function layersFrom(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
