import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { alertsOf } from "../../../src/trainingRun/alerts";
import { heatMapsOf, pruningFloor, scaleOf, shareOf } from "../../../src/trainingRun/heatMap";
import { runFindings } from "../../../src/trainingRun/runFindings";
import { verdictCounts, type RunStepReport } from "../../../src/trainingRun/runReport";
import { withoutDocuments } from "../../../src/report/withoutDocuments";
import { sampleReport } from "../report/sampleReport";

const report = sampleReport({ layers: 12 });
const steps: RunStepReport[] = [
  { step: 10, name: "step-10", report: sampleReport({ layers: 12, scheme: "lns" }) },
  { step: 20, name: "step-20", failure: "the engine was killed" },
  { step: 30, name: "step-30", report: sampleReport({ layers: 12, withoutJacobian: [3] }) },
];

describe("heat maps", () => {
  it("have a cell for every layer and step, empty where nothing was measured", () => {
    const map = heatMapsOf([steps], "jacobian")[0]!;
    expect(map.layers).toBe(12);
    expect(map.columns.map((column) => column.length)).toEqual([12, 12, 12]);
    expect(map.columns[1]!.every((cell) => cell === undefined)).toBe(true);
    expect(map.columns[2]![3]).toBeUndefined();
    expect(map.columns[2]![4]!.value).toBe(steps[2]!.report!.layers[4]!.jacobian!.identityDistance);
  });

  it("colour from the lowest to the highest, in order", () => {
    const positive = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(positive, { minLength: 2 }), (values) => {
        const scale = scaleOf(values, "variance");
        const shares = values.toSorted((a, b) => a - b).map((value) => shareOf(scale, value));
        expect(shares.every((share, i) => share >= (shares[i - 1] ?? 0) && share <= 1)).toBe(true);
        expect(shares[0]).toBe(0);
      }),
    );
  });

  it("costs at or below the floor share a colour, and the scale says so", () => {
    const scale = scaleOf([-0.1, 0, 0.5], "pruning");
    expect(scale).toEqual({
      kind: "log",
      min: pruningFloor,
      max: 0.5,
      isOpenBelow: true,
      isOpenAbove: false,
    });
    expect(shareOf(scale, -0.1)).toBe(0);
    expect(shareOf(scale, 0.5)).toBe(1);
  });

  it("one layer far above the rest does not take the colours from them", () => {
    const rest = Array.from({ length: 11 }, (_, i) => 0.1 + i / 50);
    const scale = scaleOf([20, ...rest], "jacobian", 12);
    expect(scale).toMatchObject({ min: 0.1, max: 0.1 + 10 / 50, isOpenAbove: true });
    expect(scaleOf([0.4, ...rest], "jacobian", 12).isOpenAbove).toBe(false);
  });

  it("a distance of zero has a place on a linear scale", () => {
    expect(scaleOf([0, 0.5], "jacobian").kind).toBe("linear");
    expect(scaleOf([], "jacobian").kind).toBe("log");
  });
});

describe("alerts", () => {
  it("cross in the direction that is bad, and quote figure and threshold", () => {
    const variance = report.layers[11]!.outputVariance!.mean;
    expect(alertsOf(report, { lastLayerVariance: variance })).toEqual([]);
    const [alert] = alertsOf(report, { lastLayerVariance: variance / 2 });
    expect(alert?.rule).toBe("lastLayerVariance");
    expect(alert?.text).toMatch(/variance after layer 11 is .+, above .+/);
    expect(alertsOf(report, { deepIdentityDistance: 0.01 })).toEqual([]);
    expect(alertsOf(report, { deepIdentityDistance: 5 })[0]?.rule).toBe("deepIdentityDistance");
    expect(alertsOf(report, { neededShare: 0 })).toEqual([]);
  });

  it("are silent about what was not measured and what nobody asked for", () => {
    const partial = sampleReport({ layers: 12, pruning: false, withoutJacobian: [11] });
    expect(alertsOf(partial, { neededShare: 1.1, deepIdentityDistance: 5 })).toEqual([]);
    expect(alertsOf(report, {})).toEqual([]);
  });

  it("an uncertain layer may yet be needed", () => {
    const counts = verdictCounts(report)!;
    const most = (counts.needed + counts.uncertain) / 12;
    expect(alertsOf(report, { neededShare: most })).toEqual([]);
    expect(alertsOf(report, { neededShare: most + 0.01 })[0]?.text).toContain(
      `${counts.needed} of 12`,
    );
  });
});

describe("findings", () => {
  it("compare the first and the last measured step, and quote both", () => {
    const sentences = runFindings(steps);
    expect(sentences[0]).toMatch(/^From step 10 to step 30, perplexity/);
    expect(sentences[1]).toMatch(
      /variance after layer 11 goes from .+ to .+ \(×.+\), after layer 0/,
    );
    expect(sentences.some((sentence) => sentence.includes("undefined"))).toBe(false);
  });

  it("need two steps", () => {
    expect(runFindings(steps.slice(0, 2))).toEqual([]);
  });
});

it("a run's view does without the figures of single documents", () => {
  expect(report.documents).toBeDefined();
  expect(withoutDocuments(report).documents).toBeUndefined();
  expect({ ...withoutDocuments(report), documents: report.documents }).toEqual(report);
});
