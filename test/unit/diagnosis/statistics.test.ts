import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { growthLaw } from "../../../src/diagnosis/growth";
import { cosines, innerProducts, normRatios, variances } from "../../../src/diagnosis/perToken";
import {
  leastSquares,
  median,
  medianEstimate,
  ProbeMean,
  rankCorrelation,
  TokenMean,
} from "../../../src/diagnosis/statistics";
import { pseudoRandom } from "../support/numbers";

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });

describe("TokenMean", () => {
  const estimateOf = (documents: readonly (readonly number[])[]) => {
    const mean = new TokenMean();
    for (const [document, values] of documents.entries()) mean.add(document, values);
    return mean.estimate();
  };

  it("is the mean over tokens, whatever document they stand in", () => {
    fc.assert(
      fc.property(fc.array(fc.array(finite), { minLength: 1 }), (documents) => {
        const tokens = documents.flat();
        const estimate = estimateOf(documents);
        if (tokens.length === 0) {
          expect(estimate).toBeUndefined();
          return;
        }
        const mean = tokens.reduce((a, b) => a + b, 0) / tokens.length;
        expect(Math.abs(estimate!.mean - mean)).toBeLessThanOrEqual(1e-6);
        if (tokens.length > 1) expect(estimate!.standardError).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("has the sample deviation over root n as its error, within one document", () => {
    // 1, 2, 3, 6: mean 3, sum of squared deviations 14, sample variance 14/3.
    const estimate = estimateOf([[1, 2, 3, 6]])!;
    expect(estimate.mean).toBe(3);
    expect(estimate.standardError).toBeCloseTo(Math.sqrt(14 / 3 / 4), 14);
    // One observation has no error, which is not an error of zero.
    expect(estimateOf([[5]])).toEqual({ mean: 5 });
  });

  it("has the error of a ratio estimator over documents of different lengths", () => {
    // Sums 3 and 9 of 1 and 3 tokens: mean 3, no residuals.
    expect(estimateOf([[3], [1, 3, 5]])).toEqual({ mean: 3, standardError: 0 });
    // Sums 2 and 10 of 1 and 3 tokens: mean 3, residuals −1 and 1; √(2/1 · 2) / 4.
    expect(estimateOf([[2], [1, 4, 5]])).toEqual({ mean: 3, standardError: 0.5 });
    // Documents without tokens say nothing.
    expect(estimateOf([[2], [], [1, 4, 5]])).toEqual({ mean: 3, standardError: 0.5 });
  });

  it("states the error that repeating the whole experiment shows", () => {
    const random = pseudoRandom(42);
    const normal = (): number => {
      let sum = 0;
      for (let n = 0; n < 12; n++) sum += random() / 2;
      return sum;
    };
    const experiments = Array.from({ length: 1500 }, () => {
      const documents = Array.from({ length: 25 }, () => {
        const length = 5 + Math.floor((random() + 1) * 10);
        // Tokens of one document are alike, so their number must not be taken for information.
        const common = 2 * normal();
        return Array.from({ length }, () => 10 + common + normal());
      });
      return estimateOf(documents)!;
    });
    const means = experiments.map(({ mean }) => mean);
    const centre = means.reduce((a, b) => a + b, 0) / means.length;
    const spread = Math.sqrt(
      means.reduce((sum, mean) => sum + (mean - centre) ** 2, 0) / (means.length - 1),
    );
    const stated = Math.sqrt(
      experiments.reduce((sum, { standardError }) => sum + standardError! ** 2, 0) /
        experiments.length,
    );
    expect(stated / spread).toBeGreaterThan(0.92);
    expect(stated / spread).toBeLessThan(1.08);
  });

  it("takes the sequences of one document for one observation", () => {
    const [whole, pieces] = [new TokenMean(), new TokenMean()];
    for (const mean of [whole, pieces]) mean.add(1, [5, 7, 9]);
    whole.add(0, [1, 2, 3, 4]);
    pieces.add(0, [1, 2]);
    pieces.add(0, [3, 4]);
    expect(pieces.estimate()).toEqual(whole.estimate());
    expect(pieces.documentMeans()).toEqual([7, 2.5]);
  });
});

describe("ProbeMean", () => {
  const estimateOf = (documents: readonly (readonly number[])[]) => {
    const mean = new ProbeMean();
    for (const [document, values] of documents.entries()) mean.add(document, values);
    return mean.estimate();
  };

  it("counts each document once, however many probes it has", () => {
    expect(estimateOf([[1], [3, 5]])!.mean).toBe(2.5);
    expect(estimateOf([])).toBeUndefined();
  });

  it("takes its error from the documents, or from the probes where those show more", () => {
    // Means 2 and 6, sample variance 8, over 2 documents.
    expect(estimateOf([[2], [6]])!.standardError).toBeCloseTo(2, 14);
    // Equal means; each document's probes vary by 8, so its mean by 4, the mean of two by 2.
    const noisy = estimateOf([
      [2, 6],
      [2, 6],
    ])!;
    expect(noisy).toEqual({ mean: 4, standardError: Math.SQRT2 });
    expect(estimateOf([[2, 6]])!.standardError).toBe(2);
    expect(estimateOf([[4]])).toEqual({ mean: 4 });
  });

  it("takes the sequences of one document for one observation", () => {
    const mean = new ProbeMean();
    const sequences = [
      [0, 2],
      [0, 4],
      [1, 6],
    ] as const;
    for (const [document, probe] of sequences) mean.add(document, [probe]);
    // Sums 6 of 2 and 6 of 1 around a mean of 4: residuals −2 and 2, over 3 sequences.
    expect(mean.estimate()!.mean).toBe(4);
    expect(mean.estimate()!.standardError).toBeCloseTo(4 / 3, 14);
    expect(mean.documentMeans()).toEqual([3, 6]);
  });

  it("of one document takes its error from the sequences", () => {
    const mean = new ProbeMean();
    for (const probe of [2, 6]) mean.add(0, [probe]);
    expect(mean.estimate()!.standardError).toBeCloseTo(2, 14);
  });

  it("does not keep the caller's array", () => {
    const mean = new ProbeMean();
    const probes = [1, 2];
    mean.add(0, probes);
    probes[0] = 100;
    expect(mean.estimate()!.mean).toBe(1.5);
  });
});

describe("median", () => {
  it.each([
    [[], undefined],
    [[3], 3],
    [[3, 1], 2],
    [[10, 9, 2], 9],
    [[5, 1, 4, 100], 4.5],
  ])("of %j is %s", (values, expected) => {
    expect(median(Float64Array.from(values))).toBe(expected);
  });

  it("leaves the values in their order", () => {
    const values = Float64Array.of(3, 1, 2);
    median(values);
    expect([...values]).toEqual([3, 1, 2]);
  });
});

describe("leastSquares", () => {
  it("recovers any line", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -100, max: 100, noNaN: true }),
        fc.double({ min: -100, max: 100, noNaN: true }),
        fc.integer({ min: 2, max: 60 }),
        (slope, intercept, count) => {
          const x = Array.from({ length: count }, (_, at) => at);
          const line = leastSquares(
            x,
            x.map((value) => slope * value + intercept),
          );
          expect(line.slope).toBeCloseTo(slope, 6);
          expect(line.intercept).toBeCloseTo(intercept, 6);
          if (Math.abs(slope) > 1e-6) expect(line.r2).toBeCloseTo(1, 6);
        },
      ),
    );
  });

  it("has the slope, intercept and R² worked out by hand", () => {
    // x̄ = 1, ȳ = 2; Sxx = 2, Sxy = 3, Syy = 6; R² = 9/12.
    const line = leastSquares([0, 1, 2], [1, 1, 4]);
    expect(line.slope).toBe(1.5);
    expect(line.intercept).toBe(0.5);
    expect(line.r2).toBe(0.75);
  });

  it("explains a constant wholly", () => {
    expect(leastSquares([0, 1, 2], [7, 7, 7])).toEqual({
      slope: 0,
      intercept: 7,
      r2: 1,
      slopeError: 0,
    });
  });
});

describe("growthLaw", () => {
  const variancesOf = (law: (index: number) => number, count = 24) =>
    Array.from({ length: count }, (_, index) => ({ index, variance: law(index) }));

  it("recovers a true exponential, and fits a power law worse", () => {
    const { exponential, power } = growthLaw(variancesOf((i) => 0.3 * Math.exp(0.25 * i)))!;
    expect(exponential.rate).toBeCloseTo(0.25, 12);
    expect(Math.exp(exponential.intercept)).toBeCloseTo(0.3, 12);
    expect(exponential.r2).toBeCloseTo(1, 12);
    expect(power.r2).toBeLessThan(0.95);
  });

  it("recovers a true power law of ℓ = index + 1, and fits an exponential worse", () => {
    const { exponential, power } = growthLaw(variancesOf((i) => 2 * (i + 1) ** 1.5))!;
    expect(power.exponent).toBeCloseTo(1.5, 12);
    expect(Math.exp(power.intercept)).toBeCloseTo(2, 12);
    expect(power.r2).toBeCloseTo(1, 12);
    expect(exponential.r2).toBeLessThan(0.95);
  });

  it("goes by the layer's own index where others could not be measured", () => {
    const some = variancesOf((i) => Math.exp(0.5 * i)).filter(({ index }) => index % 5 !== 1);
    expect(growthLaw(some)!.exponential.rate).toBeCloseTo(0.5, 12);
  });

  it("says nothing from fewer than two positive finite variances", () => {
    expect(growthLaw([])).toBeUndefined();
    const one = { index: 0, variance: 1 };
    for (const variance of [0, NaN, Infinity]) {
      expect(growthLaw([one, { index: 1, variance }])).toBeUndefined();
    }
    expect(growthLaw([one, { index: 1, variance: 2 }])).toBeDefined();
  });
});

describe("quantities of a token", () => {
  it("are those of its own channels", () => {
    const a = Float32Array.of(1, 2, 3, 4, /**/ 5, 5, 5, 5);
    const b = Float32Array.of(1, 2, 3, 4, /**/ -5, -5, -5, -5);
    expect([...variances(a, 2, 4)]).toEqual([1.25, 0]);
    const [same, opposite] = cosines(a, b, 2, 4);
    expect(same).toBeCloseTo(1, 14);
    expect(opposite).toBeCloseTo(-1, 14);
    expect([...normRatios(Float32Array.of(3, 4), Float32Array.of(0, 10), 1, 2)]).toEqual([0.5]);
  });

  it("are zero where there is no direction", () => {
    const zero = new Float32Array(2);
    const one = Float32Array.of(1, 0);
    expect([...cosines(zero, one, 1, 2), ...cosines(one, zero, 1, 2)]).toEqual([0, 0]);
    expect([...normRatios(zero, one, 1, 2)]).toEqual([0]);
  });

  it("leave out tokens whose stream is zero where they are measured against it", () => {
    const output = Float32Array.of(3, 4, 3, 4);
    expect([...normRatios(output, Float32Array.of(0, 0, 0, 10), 2, 2)]).toEqual([0.5]);
  });

  it("keep their digits where a large mean hides a small variance", () => {
    const offset = 2 ** 20;
    const x = Float32Array.of(offset, offset + 1, offset, offset + 1);
    expect([...variances(x, 1, 4)]).toEqual([0.25]);
  });

  it("of a probe and its product are their inner products", () => {
    expect(innerProducts(Float32Array.of(1, 2), Float32Array.of(3, -1))).toEqual({
      aa: 5,
      bb: 10,
      ab: 1,
      distance: 4 + 9,
    });
  });
});

describe("the median's error", () => {
  it("is what repeated experiments show, with documents that differ", () => {
    const random = pseudoRandom(11);
    const experiments = Array.from({ length: 400 }, () => {
      const documents = Array.from({ length: 30 }, () => {
        const common = random() + random() - 1;
        return Float64Array.from({ length: 20 }, () => common + random() + random() - 1);
      });
      return medianEstimate(documents)!;
    });
    const medians = experiments.map(({ mean }) => mean);
    const centre = medians.reduce((a, b) => a + b, 0) / medians.length;
    const spread = Math.sqrt(
      medians.reduce((sum, one) => sum + (one - centre) ** 2, 0) / (medians.length - 1),
    );
    const stated =
      experiments.reduce((sum, { standardError }) => sum + standardError!, 0) / experiments.length;
    expect(stated / spread).toBeGreaterThan(0.85);
    expect(stated / spread).toBeLessThan(1.15);
  });

  it("of one document is over tokens, and of one token is absent", () => {
    expect(medianEstimate([Float64Array.of(3)])).toEqual({ mean: 3 });
    expect(medianEstimate([])).toBeUndefined();
    // 100 even values: a standard error of 0.05 of the share is 0.05 · 99 values.
    const values = Float64Array.from({ length: 100 }, (_, at) => at);
    expect(medianEstimate([values])!.standardError).toBeCloseTo(0.05 * 99, 10);
  });
});

describe("the slope's error", () => {
  it("is that of the textbook", () => {
    // numpy: cov of polyfit([0, 1, 2, 3], [1, 3, 2, 5], 1, cov="unscaled") times SSE / (n − 2)
    expect(leastSquares([0, 1, 2, 3], [1, 3, 2, 5]).slopeError).toBeCloseTo(0.519615, 6);
    expect(leastSquares([0, 1], [1, 3]).slopeError).toBeUndefined();
  });
});

describe("the rank correlation", () => {
  it("is 1 for any increasing relation, −1 for a decreasing one", () => {
    expect(rankCorrelation([1, 2, 3, 4], [1, 10, 100, 1000])).toBeCloseTo(1, 12);
    expect(rankCorrelation([1, 2, 3, 4], [5, 4, 3, 1])).toBeCloseTo(-1, 12);
  });

  it("is that of NumPy, ties included", () => {
    // numpy.corrcoef of the ranks [0, 1.5, 1.5, 3, 4] and [1, 0, 2.5, 2.5, 4]
    expect(rankCorrelation([1, 2, 2, 4, 5], [3, 1, 4, 4, 6])).toBeCloseTo(0.763158, 5);
  });

  it("is absent where ranks say nothing", () => {
    expect(rankCorrelation([1, 2], [1, 2])).toBeUndefined();
    expect(rankCorrelation([1, 1, 1], [1, 2, 3])).toBeUndefined();
    expect(rankCorrelation([1, 2, 3], [1, 1, 1])).toBeUndefined();
  });
});
