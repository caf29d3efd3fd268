/** Sum over the tokens of one document, and how many there were. */
interface DocumentSum {
  sum: number;
  count: number;
}

/** A mean with its standard error, which a single observation does not have. */
export interface Estimate {
  readonly mean: number;
  readonly standardError?: number;
}

/**
 * The mean of a per-token quantity over all evaluated tokens, in double precision, with a standard
 * error over documents. Sequences are added whole, in any order and any batches; those of one
 * document are no independent observations, and count as one.
 */
export class TokenMean {
  private readonly documents = new Map<number, DocumentSum>();
  /** Sum of squares over tokens, for the standard error when there is one document. */
  private squares = 0;

  add(document: number, values: Float64Array | readonly number[]): void {
    const known = this.documents.get(document) ?? { sum: 0, count: 0 };
    let sum = 0;
    for (const value of values) {
      sum += value;
      this.squares += value * value;
    }
    this.documents.set(document, { sum: known.sum + sum, count: known.count + values.length });
  }

  /** Each document's own mean, in the order they came; 0 for a document without a token. */
  documentMeans(): number[] {
    return [...this.documents.values()].map(({ sum, count }) => (count === 0 ? 0 : sum / count));
  }

  /** Undefined when no token has been added. */
  estimate(): Estimate | undefined {
    const { sum, count } = total([...this.documents.values()]);
    if (count === 0) return undefined;
    const mean = sum / count;
    return { mean, ...known(this.standardError(mean, count)) };
  }

  /**
   * Over documents, or over tokens when there is one document: the sample deviation / √count.
   */
  private standardError(mean: number, count: number): number | undefined {
    const informative = [...this.documents.values()].filter((document) => document.count > 0);
    if (informative.length > 1) return errorOfRatio(informative);
    if (count < 2) return undefined;
    const variance = Math.max(0, this.squares - count * mean * mean) / (count - 1);
    return Math.sqrt(variance / count);
  }
}

/**
 * The mean over sequences of a quantity that random probes estimate, each sequence counting equally.
 */
export class ProbeMean {
  private readonly sequences: { document: number; probes: readonly number[] }[] = [];

  /** Adds one sequence's estimates, one a probe. */
  add(document: number, probes: readonly number[]): void {
    this.sequences.push({ document, probes: [...probes] });
  }

  /** Each document's mean over its sequences and their probes, in the order they came. */
  documentMeans(): number[] {
    return this.documents().map(({ sum, count }) => sum / count);
  }

  /**
   * The standard error is the larger of two estimates: over documents (over sequences where there is
   * one document), and of the probes' noise pooled over sequences. The former cannot truly be the
   * smaller; with few documents its estimate often is, by chance. One probe of one sequence has none.
   */
  estimate(): Estimate | undefined {
    const size = this.sequences.length;
    if (size === 0) return undefined;
    const documents = this.documents();
    const observations =
      documents.length > 1
        ? documents
        : this.sequences.map(({ probes }) => ({ sum: average(probes), count: 1 }));
    const mean = average(observations.map(({ sum }) => sum)) * (observations.length / size);
    const repeated = this.sequences
      .map(({ probes }) => probes)
      .filter((probes) => probes.length > 1);
    const squares = [
      ...(observations.length > 1 ? [errorOfRatio(observations) ** 2] : []),
      ...(repeated.length === size
        ? [
            average(
              repeated.map((probes) => sampleVariance(probes, average(probes)) / probes.length),
            ) / size,
          ]
        : []),
    ];
    return { mean, ...known(squares.length > 0 ? Math.sqrt(Math.max(...squares)) : undefined) };
  }

  /** Sums of the sequences' means, and how many sequences there are, of each document. */
  private documents(): DocumentSum[] {
    const sums = new Map<number, DocumentSum>();
    for (const { document, probes } of this.sequences) {
      const known = sums.get(document) ?? { sum: 0, count: 0 };
      sums.set(document, { sum: known.sum + average(probes), count: known.count + 1 });
    }
    return [...sums.values()];
  }
}

/**
 * Standard error of Σ s_n / Σ c_n, a ratio estimator since documents differ in length (Cochran,
 * Sampling Techniques, 3rd ed., §6.4): √(D/(D−1) Σ (s_n − mean·c_n)²) / Σ c_n.
 */
function errorOfRatio(documents: readonly DocumentSum[]): number {
  const { sum, count } = total(documents);
  const size = documents.length;
  const residuals = documents.map((document) => document.sum - (sum / count) * document.count);
  const squares = residuals.reduce((whole, residual) => whole + residual ** 2, 0);
  return Math.sqrt((size / (size - 1)) * squares) / count;
}

function total(documents: readonly DocumentSum[]): DocumentSum {
  return documents.reduce(
    (whole, { sum, count }) => ({ sum: whole.sum + sum, count: whole.count + count }),
    { sum: 0, count: 0 },
  );
}

function known(standardError: number | undefined): { standardError?: number } {
  return standardError === undefined ? {} : { standardError };
}

/**
 * The median with its standard error by Woodruff's method (1952, JASA 47:635): the error of the share
 * of values below it, over documents (over tokens of a single one), carried over to the values.
 *
 * @param documents values of each document
 */
export function medianEstimate(documents: readonly Float64Array[]): Estimate | undefined {
  const sorted = concatenate(documents).sort();
  const middle = median(sorted);
  if (middle === undefined) return undefined;
  const shares = documents
    .filter((values) => values.length > 0)
    .map((values) => ({ sum: shareBelow(values, middle), count: values.length }));
  if (sorted.length < 2) return { mean: middle };
  const error = shares.length > 1 ? errorOfRatio(shares) : 0.5 / Math.sqrt(sorted.length);
  const at = (share: number): number => {
    const place = Math.min(1, Math.max(0, share)) * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(sorted.length - 1, below + 1);
    return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
  };
  return { mean: middle, standardError: (at(0.5 + error) - at(0.5 - error)) / 2 };
}

/** Several arrays as one. */
export function concatenate(parts: readonly Float64Array[]): Float64Array {
  const whole = new Float64Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** How many values lie below a bound; those on it count half. */
function shareBelow(values: Float64Array, bound: number): number {
  let count = 0;
  for (const value of values) count += value < bound ? 1 : value === bound ? 0.5 : 0;
  return count;
}

/** The middle value, or the mean of the middle two. Undefined for no values. */
export function median(values: Float64Array): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * A straight line through points by least squares, with the share of variance it explains (1 of none)
 * and, from three points on, the slope's standard error by what is left: √(SSE / (n − 2) / Sxx).
 */
export function leastSquares(
  x: readonly number[],
  y: readonly number[],
): { slope: number; intercept: number; r2: number; slopeError?: number } {
  const meanX = average(x);
  const meanY = average(y);
  let xx = 0;
  let xy = 0;
  let yy = 0;
  for (const [index, value] of x.entries()) {
    const dx = value - meanX;
    const dy = y[index]! - meanY;
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const slope = xy / xx;
  const r2 = yy === 0 ? 1 : (xy * xy) / (xx * yy);
  const left = Math.max(0, 1 - r2) * yy;
  return {
    slope,
    intercept: meanY - slope * meanX,
    r2,
    ...(x.length > 2 && { slopeError: Math.sqrt(left / (x.length - 2) / xx) }),
  };
}

/**
 * Spearman's rank correlation, −1 … 1; ties share their mean rank. Undefined for fewer than three
 * pairs and where all of one side are equal.
 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number | undefined {
  if (x.length < 3) return undefined;
  const [a, b] = [ranks(x), ranks(y)];
  const { slope, r2 } = leastSquares(a, b);
  return Number.isFinite(slope) && b.some((rank) => rank !== b[0])
    ? Math.sign(slope) * Math.sqrt(r2)
    : undefined;
}

function ranks(values: readonly number[]): number[] {
  const sorted = values.toSorted((a, b) => a - b);
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2);
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sampleVariance(values: readonly number[], mean: number): number {
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}
