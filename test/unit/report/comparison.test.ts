import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { TokenMean } from "../../../src/diagnosis/statistics";
import {
  compareReports,
  isDifference,
  layerFigures,
  type Compared,
  type Contrast,
  type Difference,
} from "../../../src/report/comparison";
import {
  baselineNll,
  errorOfInfluences,
  identityDistance,
  isAbsent,
  logVariance,
  removalCost,
  type Absent,
  type LinearEstimate,
} from "../../../src/report/linearEstimate";
import { pseudoRandom } from "../support/numbers";
import { measuredReport, rawMeasurements, without, type RawMeasurements } from "./measuredReport";
import { sampleReport } from "./sampleReport";

const lengths = [40, 7, 25, 1, 12, 30];
const layers = 5;

/** Two models on the same documents: what makes a document hard is common to both. */
function twins(seed: number): [RawMeasurements, RawMeasurements] {
  const random = uniform(seed);
  const a = rawMeasurements(random, { layers, lengths });
  const vary = (documents: number[][]) =>
    documents.map((values) => values.map((value) => value * (1.1 + 0.2 * random())));
  return [
    a,
    {
      nll: vary(a.nll),
      layers: a.layers.map((layer) => ({
        variance: vary(layer.variance),
        squaredDistance: vary(layer.squaredDistance),
        deltaNll: vary(layer.deltaNll),
      })),
    },
  ];
}

describe("errors of one report", () => {
  it("are the report's own, from what the documents contribute", () => {
    const report = measuredReport(twins(1)[0]);
    const check = (estimate: LinearEstimate | Absent) => {
      const { standardError, influences } = present(estimate);
      expect(sum(influences!)).toBeCloseTo(0, 12);
      expect(errorOfInfluences(influences!) / standardError!).toBeCloseTo(1, 6);
    };
    check(baselineNll(report));
    for (let layer = 0; layer < layers; layer++) {
      check(logVariance(report, layer));
      check(removalCost(report, layer));
    }
  });

  it("of the Jacobian are at least those over documents", () => {
    const report = measuredReport(twins(2)[0]);
    for (let layer = 0; layer < layers; layer++) {
      const { standardError, influences } = present(identityDistance(report, layer));
      expect(standardError).toBeGreaterThanOrEqual(errorOfInfluences(influences!) * (1 - 1e-9));
    }
  });
});

describe("paired differences", () => {
  const [rawA, rawB] = twins(3);
  const [a, b] = [measuredReport(rawA), measuredReport(rawB)];
  const contrast = contrastOf(a, b);

  it("of losses are those of the tokens, subtracted one by one", () => {
    const direct = (from: number[][], to: number[][]) => {
      const mean = new TokenMean();
      from.forEach((document, n) => {
        mean.add(
          n,
          document.map((value, t) => to[n]![t]! - value),
        );
      });
      return mean.estimate()!;
    };
    const nll = direct(rawA.nll, rawB.nll);
    expect(measured(contrast.baselineNll)).toMatchObject({ isPaired: true });
    expectClose(measured(contrast.baselineNll), nll.mean, nll.standardError!);
    for (const [layer, { removal }] of contrast.layers.entries()) {
      const cost = direct(rawA.layers[layer]!.deltaNll, rawB.layers[layer]!.deltaNll);
      expectClose(measured(removal), cost.mean, cost.standardError!);
    }
  });

  it("of every figure have the error that the weights of the documents show", () => {
    // The infinitesimal jackknife: a figure as a function of how much each document counts, and its
    // derivatives by central differences, in two loops.
    const documents = lengths.length;
    const direct = (figure: (raw: RawMeasurements, weights: number[]) => number) => {
      const difference = (weights: number[]) => figure(rawB, weights) - figure(rawA, weights);
      const step = 1e-5;
      let squares = 0;
      for (let n = 0; n < documents; n++) {
        const at = (change: number) =>
          difference(lengths.map((_, other) => (other === n ? 1 + change : 1)));
        squares += ((at(step) - at(-step)) / (2 * step)) ** 2;
      }
      return {
        difference: difference(lengths.map(() => 1)),
        standardError: Math.sqrt((documents / (documents - 1)) * squares),
      };
    };
    const tokenMean = (values: number[][], weights: number[]) =>
      sum(values.map((document, n) => weights[n]! * sum(document))) /
      sum(values.map((document, n) => weights[n]! * document.length));
    const probeMean = (values: number[][], weights: number[]) =>
      sum(values.map((document, n) => (weights[n]! * sum(document)) / document.length)) /
      sum(weights);
    const logVariance = (layer: number) => (raw: RawMeasurements, weights: number[]) =>
      Math.log(tokenMean(raw.layers[layer]!.variance, weights));
    const distance = (layer: number) => (raw: RawMeasurements, weights: number[]) =>
      Math.sqrt(probeMean(raw.layers[layer]!.squaredDistance, weights));
    const check = (compared: Compared, expected: ReturnType<typeof direct>) => {
      expectClose(measured(compared), expected.difference, expected.standardError, 1e-6);
    };
    for (const [layer, { variance, distance: toIdentity }] of contrast.layers.entries()) {
      check(variance, direct(logVariance(layer)));
      check(toIdentity, direct(distance(layer)));
    }
    check(
      contrast.growth,
      direct(
        (raw, weights) => logVariance(layers - 1)(raw, weights) - logVariance(0)(raw, weights),
      ),
    );
    // Layers 2, 3 and 4 of 5 are the deep half.
    const deep = [2, 3, 4];
    check(
      contrast.deepDistance,
      direct((raw, weights) => sum(deep.map((layer) => distance(layer)(raw, weights))) / 3),
    );
    // The document of one token predicts none, and does not count among the documents of losses.
    const { standardError } = direct(
      (raw, weights) =>
        sum(deep.map((layer) => tokenMean(raw.layers[layer]!.deltaNll, weights))) / 3,
    );
    const informative = documents - 1;
    const correction = Math.sqrt(informative / (informative - 1) / (documents / (documents - 1)));
    expect(
      measured(contrast.deepRemoval).standardError! / (standardError * correction),
    ).toBeCloseTo(1, 6);
  });

  it("are narrower than those of independent reports when documents are alike in both", () => {
    const apart = contrastOf(a, { ...b, evaluation: { ...b.evaluation, fingerprint: "other" } });
    expect(contrast.pairing).toEqual({ isPaired: true, documents: 6 });
    expect(apart.pairing.isPaired).toBe(false);
    for (const figure of layerFigures) {
      const paired = measured(contrast.layers[1]![figure]);
      const independent = measured(apart.layers[1]![figure]);
      expect(independent.isPaired).toBe(false);
      expect(independent.difference).toBe(paired.difference);
      expect(paired.standardError!).toBeLessThan(independent.standardError! / 2);
      expect(paired.p!).toBeLessThan(independent.p!);
    }
  });

  it("state the error that repeating the whole experiment shows", () => {
    const random = uniform(11);
    const experiments = Array.from({ length: 800 }, () => {
      const sizes = Array.from({ length: 20 }, () => 5 + Math.floor(20 * random()));
      const one = rawMeasurements(random, { layers: 1, lengths: sizes });
      const two = {
        ...one,
        layers: one.layers.map((layer) => ({
          ...layer,
          variance: layer.variance.map((document) => {
            const factor = 1.5 + random();
            return document.map((value) => value * factor * (0.8 + 0.4 * random()));
          }),
        })),
      };
      return measured(contrastOf(measuredReport(one), measuredReport(two)).layers[0]!.variance);
    });
    const differences = experiments.map(({ difference }) => difference);
    const centre = sum(differences) / differences.length;
    const spread = Math.sqrt(
      sum(differences.map((one) => (one - centre) ** 2)) / (differences.length - 1),
    );
    const stated = Math.sqrt(
      sum(experiments.map(({ standardError }) => standardError! ** 2)) / experiments.length,
    );
    expect(stated / spread).toBeGreaterThan(0.9);
    expect(stated / spread).toBeLessThan(1.1);
  });
});

describe("compareReports", () => {
  it("finds nothing between a report and itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const report = measuredReport(twins(seed)[0]);
        const contrast = contrastOf(report, report);
        for (const compared of allOf(contrast)) {
          expect(measured(compared)).toMatchObject({ difference: 0, standardError: 0, p: 1 });
          expect(measured(compared).significance).toBe("none");
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is antisymmetric", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.boolean(), (seed, isPaired) => {
        const [rawA, rawB] = twins(seed);
        const [a, b] = [measuredReport(rawA), measuredReport(rawB)];
        if (!isPaired) b.evaluation.fingerprint = "other";
        const there = compareReports(named([a, b]), 0).contrasts[0]!;
        const back = compareReports(named([a, b]), 1).contrasts[0]!;
        expect([there.report, back.report]).toEqual([1, 0]);
        allOf(there).forEach((compared, at) => {
          const [one, other] = [measured(compared), measured(allOf(back)[at]!)];
          expect(other.difference).toBeCloseTo(-one.difference, 12);
          expect(other.standardError).toBeCloseTo(one.standardError!, 12);
          expect(other.p).toBeCloseTo(one.p!, 12);
          expect(other.significance).toBe(one.significance);
          expect([other.reference, other.other]).toEqual([one.other, one.reference]);
        });
      }),
      { numRuns: 20 },
    );
  });

  it("takes what rounding leaves for no difference", () => {
    const report = measuredReport(twins(5)[0]);
    const rounded: Report = {
      ...report,
      layers: report.layers.map((layer) => ({
        ...layer,
        outputVariance: { ...layer.outputVariance!, mean: layer.outputVariance!.mean * (1 + 2e-7) },
      })),
    };
    const { variance } = contrastOf(report, rounded).layers[0]!;
    expect(measured(variance).difference).not.toBe(0);
    expect(measured(variance)).toMatchObject({ p: 1, significance: "none" });
  });

  it("corrects for the number of differences over all contrasts", () => {
    const [rawA, rawB] = twins(6);
    const reports = [measuredReport(rawA), measuredReport(rawB), measuredReport(rawA)];
    const comparison = compareReports(named(reports), 1);
    expect(comparison.contrasts.map(({ report }) => report)).toEqual([0, 2]);
    // Three figures of each layer and the baseline, twice.
    expect(comparison.tests).toBe(2 * (3 * layers + 1));
    const tested = comparison.contrasts.flatMap((contrast) => [
      measured(contrast.baselineNll),
      ...contrast.layers.flatMap((layer) => layerFigures.map((figure) => measured(layer[figure]))),
    ]);
    const found = tested.filter(({ significance }) => significance === "significant");
    const largest = Math.max(...found.map(({ p }) => p!));
    expect(found.length).toBeGreaterThan(0);
    expect(largest).toBeLessThanOrEqual((0.05 * found.length) / tested.length);
    for (const { p, significance } of tested) {
      expect(significance === "significant").toBe(p! <= largest);
      expect(significance === "none").toBe(p! > 0.05);
    }
  });

  it("matches layers by index, and says which have no counterpart", () => {
    const shallow = sampleReport({ layers: 4 });
    const deep = sampleReport({ layers: 6 });
    const contrast = contrastOf(shallow, deep);
    expect(contrast.layers).toHaveLength(6);
    expect(contrast.layers[3]!.variance).toHaveProperty("difference");
    for (const figure of layerFigures)
      expect(contrast.layers[4]![figure]).toEqual({
        reason: "no counterpart: the reference has 4 layers",
      });
    expect(contrastOf(deep, shallow).layers[5]!.removal).toEqual({
      reason: "no counterpart: the other has 4 layers",
    });
    expect(contrast.caveats.join()).toContain("layers 4 to 5 of the deeper model");
  });

  it("gives the reason where one side has no figure", () => {
    const whole = sampleReport({ layers: 3 });
    const partial = sampleReport({ layers: 3, withoutJacobian: [2] });
    const reason = "the tangent overflowed fp32 in 3 of 48 documents";
    expect(contrastOf(whole, partial).layers[2]!.distance).toEqual({ reason });
    expect(contrastOf(partial, whole).layers[2]!.distance).toEqual({
      reason: `reference: ${reason}`,
    });
    expect(contrastOf(whole, partial).deepDistance).toEqual({ reason: `layer 2: ${reason}` });
    const unasked: Report = {
      ...whole,
      evaluation: { ...whole.evaluation, metrics: ["variance"] },
      layers: whole.layers.map((layer) => without(layer, "pruning")),
    };
    expect(contrastOf(whole, unasked).layers[0]!.removal).toEqual({ reason: "not asked for" });
  });

  it("has no p value without an error, and does not call such a difference significant", () => {
    const a = without(sampleReport({ layers: 2 }), "documents");
    const unknown: Report = { ...a, baseline: { nll: 5, perplexity: Math.exp(5) } };
    const nll = measured(contrastOf(a, unknown).baselineNll);
    expect(nll.difference).toBeCloseTo(5 - 2.834, 12);
    expect(nll).not.toHaveProperty("standardError");
    expect(nll).not.toHaveProperty("p");
    expect(nll).not.toHaveProperty("significance");
  });

  it("only bounds the error of a mean over layers when documents are not stated", () => {
    const a = without(sampleReport({ layers: 4 }), "documents");
    const b = sampleReport({ layers: 4, seed: 9 });
    const { pairing, deepRemoval } = contrastOf(a, b);
    expect(pairing).toEqual({
      isPaired: false,
      reason: "a report does not state the figures of each document",
    });
    expect(measured(deepRemoval).errorIsBound).toBe(true);
    const errors = a.layers.slice(2).map(({ pruning }) => pruning!.standardError!);
    expect(measured(deepRemoval).standardError).toBeGreaterThan(sum(errors) / 2);
  });
});

describe("what cannot be compared", () => {
  const a = sampleReport({ layers: 2 });
  const on = (evaluation: Partial<Report["evaluation"]>, vocabularySize = 32000): Report => ({
    ...a,
    architecture: { ...a.architecture, vocabularySize },
    evaluation: { ...a.evaluation, ...evaluation },
  });

  it("losses on different text", () => {
    const contrast = contrastOf(a, on({ fingerprint: "f", source: "wiki.txt" }));
    expect(contrast.baselineNll).toEqual({
      reason: "they were measured on different text: default text and wiki.txt",
    });
    expect(contrast.layers[0]!.removal).toHaveProperty("difference");
    expect(contrast.caveats).toContain(
      "A difference may be one of the texts: the reports were measured on different text: default text and wiki.txt.",
    );
  });

  it("losses and costs per token of different vocabularies", () => {
    const contrast = contrastOf(a, on({ fingerprint: "f" }, 50257));
    const reason =
      "nats per token of different vocabularies (32000 and 50257 tokens) cannot be compared";
    expect(contrast.baselineNll).toEqual({ reason });
    expect(contrast.layers[1]!.removal).toEqual({ reason });
    expect(contrast.deepRemoval).toEqual({ reason });
    expect(contrast.layers[1]!.variance).toHaveProperty("difference");
  });

  it("more of the same text is compared, unpaired", () => {
    const contrast = contrastOf(a, on({ fingerprint: "f", documents: 96 }));
    expect(contrast.pairing).toEqual({
      isPaired: false,
      reason: "they were measured on different tokens",
    });
    expect(contrast.baselineNll).toHaveProperty("p");
  });

  it("documents cannot pair when there is one, or when they are not known to be the same", () => {
    const single = measuredReport(rawMeasurements(uniform(1), { layers: 2, lengths: [50] }));
    expect(contrastOf(single, single).pairing).toMatchObject({
      reason: "there is only one document",
    });
    const evaluation = without(a.evaluation, "fingerprint");
    expect(contrastOf({ ...a, evaluation }, a).pairing).toMatchObject({
      reason: "a report does not say which tokens it was measured on",
    });
  });

  it("says when both are of the same weights", () => {
    expect(contrastOf(a, a).caveats).toEqual(["Both are reports of the same weights."]);
  });
});

function contrastOf(reference: Report, other: Report): Contrast {
  return compareReports(named([reference, other])).contrasts[0]!;
}

function named(reports: readonly Report[]) {
  return reports.map((report, n) => ({ name: `report ${n}`, report }));
}

function allOf(contrast: Contrast): Compared[] {
  const { baselineNll, growth, deepDistance, deepRemoval } = contrast;
  return [
    ...[baselineNll, growth, deepDistance, deepRemoval],
    ...contrast.layers.flatMap((layer) => layerFigures.map((figure) => layer[figure])),
  ];
}

function measured(compared: Compared): Difference {
  if (!isDifference(compared)) throw new Error(compared.reason);
  return compared;
}

function present(estimate: LinearEstimate | Absent): LinearEstimate {
  if (isAbsent(estimate)) throw new Error(estimate.reason);
  return estimate;
}

function expectClose(
  found: Difference,
  difference: number,
  standardError: number,
  tolerance = 1e-9,
): void {
  expect(Math.abs(found.difference - difference)).toBeLessThan(
    tolerance * Math.max(1, Math.abs(difference)),
  );
  expect(Math.abs(found.standardError! / standardError - 1)).toBeLessThan(tolerance);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Numbers between 0 and 1. */
function uniform(seed: number): () => number {
  const random = pseudoRandom(seed);
  return () => (random() + 1) / 2;
}
