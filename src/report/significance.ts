/** Whether a difference is more than its error: p values, and what remains of them in a table of many. */

/**
 * Probability that Student's t of `degrees` degrees of freedom lies farther from zero than `t`:
 * I_x(degrees/2, 1/2), x = degrees / (degrees + t²).
 */
export function twoSidedP(t: number, degrees: number): number {
  if (Number.isNaN(t)) return Number.NaN;
  if (!Number.isFinite(t)) return 0;
  const x = degrees / (degrees + t * t);
  // 1 − x, exact where t is small and x rounds to 1.
  return incompleteBeta(x, (t * t) / (degrees + t * t), degrees / 2, 0.5);
}

/**
 * The largest p value that is significant at a false discovery rate, by Benjamini and Hochberg (1995):
 * the largest p₍ₖ₎ ≤ rate·k/m of the m values in order. Among differences at or below it, at most
 * `rate` are expected to be none. Undefined where none is significant.
 */
export function discoveryThreshold(pValues: readonly number[], rate: number): number | undefined {
  const sorted = pValues.toSorted((a, b) => a - b);
  return sorted.findLast((p, index) => p <= (rate * (index + 1)) / sorted.length);
}

/** The regularised incomplete beta function I_x(a, b), with `y` = 1 − x. */
function incompleteBeta(x: number, y: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  // The fraction converges quickly below the mean of the distribution only: I_x(a, b) = 1 − I_y(b, a).
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(y, x, b, a);
  const logFront =
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(y) - Math.log(a);
  return Math.exp(logFront) * betaFraction(x, a, b);
}

/** The continued fraction of I_x(a, b) (DLMF 8.17.22), by the modified method of Lentz. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= c * d;
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const step = c * d;
    fraction *= step;
    if (Math.abs(step - 1) < 1e-15) break;
  }
  return fraction;
}

/** log Γ(z) for z > 0, by Lanczos' approximation (g = 7, nine terms). */
function logGamma(z: number): number {
  if (z < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * z)) - logGamma(1 - z);
  const shifted = z - 1;
  const base = shifted + 7.5;
  const sum = lanczos.reduce(
    (total, coefficient, index) =>
      total + (index === 0 ? coefficient : coefficient / (shifted + index)),
    0,
  );
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];
