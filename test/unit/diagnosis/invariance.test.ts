import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import type { Executor } from "../../../src/engine/executor";
import { layerInputs } from "../../../src/graph/layer";
import { fixture, tokensOf } from "../support/checkpoints";
import { expectSameFigures } from "../support/numbers";
import { diagnoseHere, leastMemory } from "../support/pipeline";

const everything = ["variance", "jacobian", "pruning", "sublayers"] as const;
const documents = tokensOf("llama");
/** Rounding of float32 in another order of summation. */
const rounding = { relative: 2e-5, absolute: 2e-6 };

/** What each run of a session was given, by the shape of its residual stream. */
function recording(shapes: number[][]): (cpu: Executor) => Executor {
  return (cpu) => ({
    acceptsEmptyTensors: cpu.acceptsEmptyTensors,
    load: async (graph) => {
      const session = await cpu.load(graph);
      return {
        run: (feeds, fetches) => {
          const stream = feeds[layerInputs.stream];
          if (stream?.shape.length === 3) shapes.push([...stream.shape]);
          return session.run(feeds, fetches);
        },
        release: () => session.release(),
      };
    },
  });
}

describe("a report", () => {
  let whole: Report;
  const wholeShapes: number[][] = [];
  beforeAll(async () => {
    whole = await diagnoseHere(fixture("llama"), {
      documents,
      metrics: everything,
      executor: recording(wholeShapes),
    });
  });

  it("does not depend on the memory budget, nor on what is padded or batched", async () => {
    const shapes: number[][] = [];
    const options = { documents, metrics: everything };
    const cramped = await diagnoseHere(fixture("llama"), {
      ...options,
      memoryBytes: await leastMemory(fixture("llama"), options),
      executor: recording(shapes),
    });
    expectSameFigures(cramped, whole, rounding);
    // The budget did make a difference: one document at a time, unpadded, against all of them.
    expect(Math.max(...shapes.map(([rows]) => rows!))).toBe(1);
    expect(new Set(shapes.map(([, sequence]) => sequence))).toEqual(new Set([17, 12, 20]));
    expect(Math.max(...wholeShapes.map(([rows]) => rows!))).toBeGreaterThanOrEqual(3);
  });

  it("does not depend on how many shards the weights lie in", async () => {
    const options = { documents: tokensOf("llama3-sharded"), metrics: everything };
    const sharded = await diagnoseHere(fixture("llama3-sharded"), options);
    const single = await diagnoseHere(fixture("llama3-rope-scaling"), options);
    expect(sharded.layers).toEqual(single.layers);
    expect(sharded.baseline).toEqual(single.baseline);
    expect(sharded.growth).toEqual(single.growth);
  });

  it("of all documents is made of the reports of each", async () => {
    const each = await Promise.all(
      documents.map((document) =>
        diagnoseHere(fixture("llama"), {
          documents: [document],
          metrics: ["variance", "pruning"],
        }),
      ),
    );
    /** Mean of what each document shows, weighted by how many tokens it rests on. */
    const pooled = (figure: (report: Report) => number, weight: (length: number) => number) => {
      const weights = documents.map(({ length }) => weight(length));
      const sum = each.reduce((total, report, at) => total + figure(report) * weights[at]!, 0);
      return sum / weights.reduce((a, b) => a + b, 0);
    };
    const tokens = (length: number): number => length;
    const predictions = (length: number): number => length - 1;
    expect(whole.baseline!.nll).toBeCloseTo(
      pooled(({ baseline }) => baseline!.nll, predictions),
      5,
    );
    for (const { index, outputVariance, pruning, blockInfluence } of whole.layers) {
      const layer = (report: Report) => report.layers[index]!;
      const variance = pooled((report) => layer(report).outputVariance!.mean, tokens);
      expect(outputVariance!.mean / variance).toBeCloseTo(1, 5);
      expect(outputVariance!.meanWithoutFirstToken! / variance).not.toBeCloseTo(1, 5);
      const influence = pooled((report) => layer(report).blockInfluence!, tokens);
      expect(blockInfluence).toBeCloseTo(influence, 6);
      const cost = pooled((report) => layer(report).pruning!.deltaNll, predictions);
      expect(pruning!.deltaNll).toBeCloseTo(cost, 5);
    }
  });

  it("does not depend on the order of the documents, but for the probes they get", async () => {
    const options = { metrics: ["variance", "pruning"] } as const;
    const forward = await diagnoseHere(fixture("llama"), { ...options, documents });
    const backward = await diagnoseHere(fixture("llama"), {
      ...options,
      documents: documents.toReversed(),
    });
    const { documents: last, ...figures } = backward;
    const { documents: first, ...expected } = forward;
    // The fingerprint is of the documents in their order.
    expected.evaluation.fingerprint = figures.evaluation.fingerprint!;
    expectSameFigures(figures, expected, rounding);
    expectSameFigures(last!.nll!.toReversed(), first!.nll, rounding);
  });

  it("has the same figures whatever else is measured", async () => {
    for (const metric of ["variance", "jacobian", "pruning"] as const) {
      const alone = await diagnoseHere(fixture("llama"), { documents, metrics: [metric] });
      for (const [index, layer] of alone.layers.entries()) {
        const twin = whole.layers[index]!;
        expect(layer.unmeasured).toBeUndefined();
        if (metric === "pruning") {
          expect(Object.keys(layer.pruning!)).toEqual([
            "deltaNll",
            "standardError",
            "deltaPerplexity",
          ]);
          expectSameFigures(layer.pruning!.deltaNll, twin.pruning!.deltaNll, rounding);
        } else {
          const same = Object.fromEntries(
            Object.keys(layer).map((name) => [name, twin[name as keyof typeof twin]]),
          );
          expectSameFigures(layer, same, rounding);
        }
      }
      expect(alone.layers.every(({ outputVariance }) => outputVariance !== undefined)).toBe(
        metric === "variance",
      );
      expect(alone.layers.every(({ jacobian }) => jacobian !== undefined)).toBe(
        metric === "jacobian",
      );
    }
  });
});

describe("the figures of single documents", () => {
  it("have the means that the report states", async () => {
    const whole = await diagnoseHere(fixture("llama"), { documents });
    const { documents: figures, baseline, layers, evaluation } = whole;
    const lengths = documents.map(({ length }) => length);
    expect(figures!.tokens).toEqual(lengths);
    expect(figures!.layers).toHaveLength(layers.length);
    const weighted = (means: number[], weights: number[]) =>
      means.reduce((sum, mean, at) => sum + mean * weights[at]!, 0) /
      weights.reduce((sum, weight) => sum + weight);
    const predictions = lengths.map((length) => length - 1);
    expect(weighted(figures!.nll!, predictions)).toBeCloseTo(baseline!.nll, 6);
    for (const [index, { outputVariance, jacobian, pruning }] of layers.entries()) {
      const of = figures!.layers[index]!;
      const variance = weighted(of.outputVariance!, lengths);
      expect(variance / outputVariance!.mean).toBeCloseTo(1, 6);
      const square = weighted(
        of.squaredIdentityDistance!,
        lengths.map(() => 1),
      );
      expect(Math.sqrt(square) / jacobian!.identityDistance).toBeCloseTo(1, 6);
      expect(weighted(of.deltaNll!, predictions)).toBeCloseTo(pruning!.deltaNll, 6);
    }
    const other = await diagnoseHere(fixture("llama"), {
      documents: documents.slice(1),
      metrics: ["variance"],
    });
    expect(other.documents!.layers[0]).toEqual({
      outputVariance: figures!.layers[0]!.outputVariance!.slice(1),
    });
    expect(other.evaluation.fingerprint).not.toBe(evaluation.fingerprint);
  });
});

describe("the seed", () => {
  it("fixes every figure, and another one moves the Jacobian within its error", async () => {
    const run = (seed: number): Promise<Report> =>
      diagnoseHere(fixture("llama"), { documents, probes: 24, seed });
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    expect(again).toEqual(first);
    for (const [index, { jacobian, pruning, outputVariance }] of other.layers.entries()) {
      const twin = first.layers[index]!;
      expect(pruning).toEqual(twin.pruning);
      expect(outputVariance).toEqual(twin.outputVariance);
      const difference = jacobian!.identityDistance - twin.jacobian!.identityDistance;
      expect(difference).not.toBe(0);
      const error = Math.hypot(jacobian!.standardError!, twin.jacobian!.standardError!);
      expect(Math.abs(difference)).toBeLessThan(5 * error);
    }
  });
});
