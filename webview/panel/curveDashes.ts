import type { CurveSeries } from "./chartModel";

/** Fits are solid or long-dashed, theories short-dashed or dotted: told apart without colour. */
export const curveDashes: Readonly<Record<CurveSeries["role"], readonly number[]>> = {
  exponential: [],
  power: [8, 4],
  preLn: [4, 3],
  lns: [1.5, 3],
  ghost: [6, 3],
  otherRun: [],
};

/** The line at the cost that the verdict is about. */
export const referenceDash: readonly number[] = [2, 3];
