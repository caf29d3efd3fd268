import { describe, expect, it } from "vitest";
import type { LayerReport, Report } from "../../../src/diagnosis/report";
import { z95 } from "../../../src/report/format";
import type { ReportView } from "../../../webview/panel/chartModel";
import { jacobianModel } from "../../../webview/panel/jacobianModel";
import { pruningModel, verdictThreshold } from "../../../webview/panel/pruningModel";
import { varianceModel } from "../../../webview/panel/varianceModel";
import { sampleReport } from "../report/sampleReport";

const whole = { part: "layer", isLog: false } as const;
const logged = { part: "layer", isLog: true } as const;

describe("varianceModel", () => {
  it("has one point per layer with its 95% interval, both fits and both theories", () => {
    const report = sampleReport({ layers: 12 });
    const model = varianceModel(done(report));
    const { mean, standardError } = report.layers[7]!.outputVariance!;
    expect(model.measured.points).toHaveLength(12);
    expect(model.measured.points[7]).toEqual({
      layer: 7,
      value: mean,
      low: mean - z95 * standardError!,
      high: mean + z95 * standardError!,
    });
    expect(model.axis.kind).toBe("log");
    expect(model.curves.map((curve) => [curve.role, curve.points.length])).toEqual([
      ["exponential", 12],
      ["power", 12],
      ["preLn", 12],
      ["lns", 12],
    ]);
    // Told apart by words too, for those who do not see the samples.
    expect(model.curves.map((curve) => /\((.*)\)/.exec(curve.label)?.[1])).toEqual([
      "solid",
      "long dashes",
      "short dashes",
      "dotted",
    ]);
    const theories = model.curves.slice(2);
    for (const theory of theories) {
      expect(theory.label).toContain("up to a constant");
      expect(theory.points[0]).toEqual({ layer: 0, value: report.layers[0]!.outputVariance!.mean });
    }
  });

  it("keeps the layer axis and the legend from the start of a run", () => {
    const before = varianceModel({ report: undefined, layers: 32, isRunning: true });
    const during = varianceModel(
      running(sampleReport({ layers: 32, measured: 7, pruning: false })),
    );
    expect([before.layers, during.layers]).toEqual([32, 32]);
    expect(before.curves).toHaveLength(during.curves.length);
    expect(before.emptiness).toBe("Not measured yet");
    expect(during.measured.points).toHaveLength(7);
    expect(during.notes).toEqual([]);
    // A fit does not speak of layers that it has not seen.
    expect(during.curves[0]!.points.at(-1)!.layer).toBe(6);
    expect(during.readout(20)).toBe("not measured yet");
  });

  it("keeps every interval and curve within the axis", () => {
    const { axis, measured, curves } = varianceModel(done(sampleReport({ layers: 100 })));
    const values = [
      ...measured.points.flatMap((point) => [point.low, point.high]),
      ...curves.flatMap((curve) => curve.points.map((point) => point.value)),
    ];
    for (const value of values) {
      expect(value).toBeGreaterThanOrEqual(axis.min);
      expect(value).toBeLessThanOrEqual(axis.max);
    }
  });

  it("reads out the figures of a layer", () => {
    expect(varianceModel(done(sampleReport({ layers: 12 }))).readout(6)).toMatch(
      /^σ² [\d.]+ ± [\d.]+ · median [\d.]+ · without first tokens [\d.]+$/,
    );
  });
});

describe("jacobianModel", () => {
  it("leaves a gap with a reason", () => {
    const model = jacobianModel(done(sampleReport({ layers: 12, withoutJacobian: [3, 4, 5, 9] })), {
      isLog: false,
    });
    expect(model.measured.points.map((point) => point.layer)).toEqual([0, 1, 2, 6, 7, 8, 10, 11]);
    expect(model.notes).toEqual([
      "Layers 3–5 and 9: the tangent overflowed fp32 in 3 of 48 documents",
    ]);
    expect(model.readout(4)).toBe("the tangent overflowed fp32 in 3 of 48 documents");
  });

  it("says when it was not asked for", () => {
    const report = sampleReport({ layers: 4, withoutJacobian: [0, 1, 2, 3] });
    report.evaluation.metrics = ["variance"];
    report.layers.forEach((layer) => delete layer.unmeasured);
    const model = jacobianModel(done(report), { isLog: false });
    expect(model.emptiness).toBe("Not asked for in this run");
    expect(model.readout(2)).toBe("not asked for");
  });

  it("fits its axis to the layers in sight", () => {
    const report = sampleReport({ layers: 32 });
    const all = jacobianModel(done(report), { isLog: false });
    const deep = jacobianModel(
      { ...done(report), visible: { min: 19.5, max: 31.5 } },
      { isLog: false },
    );
    expect(deep.axis.max).toBeLessThan(all.axis.max);
    expect(deep.measured.points).toHaveLength(32);
  });
});

describe("pruningModel", () => {
  it("says what removing a layer costs", () => {
    const report = withPruning({ deltaNll: 0.003, standardError: 0.0005, deltaPerplexity: 0.05 });
    const model = pruningModel(done(report), whole);
    expect(model.readout(0)).toBe(
      "Removing layer 0 costs +0.300% perplexity (±0.098) · ΔNLL +0.00300 ± 0.00098 · Δ perplexity +0.050 ± 0.017",
    );
    expect(model.verdicts[0]).toBe("free");
    expect(model.reference!.value).toBeCloseTo(Math.log(1.01));
  });

  it("says by how much a layer that counts multiplies perplexity", () => {
    const report = withPruning({ deltaNll: 5.1, standardError: 0.02, deltaPerplexity: 2700 });
    expect(pruningModel(done(report), whole).readout(0)).toMatch(
      /^Removing layer 0 multiplies perplexity by 164.0 \(±6.4\) · /,
    );
  });

  it("shows attention or feed-forward alone", () => {
    const report = sampleReport({ layers: 12 });
    const model = pruningModel(done(report), { part: "attention", isLog: false });
    expect(model.measured.points[5]!.value).toBe(report.layers[5]!.pruning!.attention!.deltaNll);
    expect(model.unit).toBe("ΔNLL without the layer’s attention, nats per token");
    expect(model.readout(5)).toContain("Removing layer 5’s attention costs");
  });

  it("draws bars, from the floor of the axis where there is no zero", () => {
    const view = done(sampleReport({ layers: 12 }));
    expect(pruningModel(view, whole).measured.bars).toBe(true);
    expect(pruningModel(view, { part: "layer", isLog: true }).measured.bars).toBe(true);
  });

  it("holds the threshold and the ends of intervals on the log scale", () => {
    const report = withCosts([5.65, 0.2, 0.03], 0.012);
    const { axis, reference, measured, belowAxis } = pruningModel(done(report), logged);
    expect(reference!.value).toBeGreaterThan(axis.min);
    for (const { low, high } of measured.points) {
      expect(low).toBeGreaterThanOrEqual(axis.min);
      expect(high).toBeLessThanOrEqual(axis.max);
    }
    expect(belowAxis!.points).toEqual([]);
    // A single cost far above the threshold does not push it out of sight.
    const costly = pruningModel(done(withCosts([5.65], 0.1)), logged);
    expect(costly.axis.min).toBeLessThan(verdictThreshold);
  });

  it("marks what a log scale has no place for at its floor, and says so", () => {
    const report = withCosts([-0.01, 0.2, 0.001], 0.005);
    const model = pruningModel(done(report), logged);
    expect(model.measured.points.map((point) => point.layer)).toEqual([1, 2]);
    expect(model.belowAxis!.points.map((point) => point.layer)).toEqual([0]);
    expect(model.notes).toEqual([
      "▽ at the axis’ floor: the cost of layer 0, at or below zero",
      "Cut at the axis’ floor: the interval of layer 2, which reaches zero or below",
    ]);
    expect(model.readout(0)).toMatch(
      /^Removing layer 0 improves perplexity by 1.00% .* · below the log scale$/,
    );
    expect(model.readout(2)).not.toContain("below");
    const linear = pruningModel(done(report), whole);
    expect(linear.notes).toEqual([]);
    expect(linear.belowAxis).toBeUndefined();
  });

  it("does not let a cost of almost nothing stretch the log scale", () => {
    const report = withCosts([2, 1e-9, 3e-9], 1e-10);
    const model = pruningModel(done(report), logged);
    expect(model.axis.min).toBeGreaterThanOrEqual(1e-4);
    expect(model.belowAxis!.points.map((point) => point.layer)).toEqual([1, 2]);
    expect(model.notes).toEqual(["▽ at the axis’ floor: the costs of layers 1 and 2, below 0.005"]);
  });

  it("says why there is nothing without a language-model head", () => {
    const report = sampleReport({ layers: 2, pruning: false });
    for (const layer of report.layers)
      layer.unmeasured = [
        { metric: "pruning", reason: "the checkpoint has no language-model head" },
      ];
    const model = pruningModel(done(report), whole);
    expect(model.emptiness).toBe("The checkpoint has no language-model head");
    expect(model.notes).toEqual([]);
    expect(model.verdicts).toEqual([undefined, undefined]);
  });
});

function done(report: Report): ReportView {
  return { report, layers: report.architecture.layers, isRunning: false };
}

function running(report: Report): ReportView {
  return { ...done(report), isRunning: true };
}

function withPruning(pruning: NonNullable<LayerReport["pruning"]>): Report {
  const report = sampleReport({ layers: 1 });
  return { ...report, layers: [{ ...report.layers[0]!, pruning }] };
}

/** A report of as many layers as costs. */
function withCosts(costs: readonly number[], standardError: number): Report {
  const report = sampleReport({ layers: costs.length });
  report.layers.forEach((layer, i) => {
    layer.pruning = { deltaNll: costs[i]!, standardError, deltaPerplexity: 0 };
  });
  return report;
}
