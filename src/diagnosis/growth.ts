import type { Fit, GrowthLaw } from "./report";
import { leastSquares } from "./statistics";

/**
 * Fits the growth of the output variance with depth: log σ² = intercept + rate · i (exponential) and
 * log σ² = intercept + exponent · log ℓ (power), ℓ = i + 1.
 *
 * @param variances mean output variance by layer index; layers that could not be measured are left out
 * @returns undefined with fewer than two positive finite variances
 */
export function growthLaw(
  variances: readonly { index: number; variance: number }[],
): GrowthLaw | undefined {
  const usable = variances.filter(({ variance }) => variance > 0 && Number.isFinite(variance));
  if (usable.length < 2) return undefined;
  const logs = usable.map(({ variance }) => Math.log(variance));
  const indices = usable.map(({ index }) => index);
  const exponential = leastSquares(indices, logs);
  const power = leastSquares(
    indices.map((index) => Math.log(index + 1)),
    logs,
  );
  return {
    exponential: { rate: exponential.slope, ...fitOf(exponential) },
    power: { exponent: power.slope, ...fitOf(power) },
  };
}

function fitOf({ intercept, r2, slopeError }: ReturnType<typeof leastSquares>): Fit {
  return { intercept, r2, ...(slopeError !== undefined && { standardError: slopeError }) };
}
