import { describe, expect, it } from "vitest";
import type { GrowthLaw, LayerReport, Report } from "../../../src/diagnosis/report";
import { findingsOf } from "../../../src/report/findings";
import { verdictOf } from "../../../src/report/verdict";
import { sampleReport } from "./sampleReport";

describe("the growth finding", () => {
  it("says exponential only when that fit wins", () => {
    expect(growthText(law(0.99, 0.9))).toContain("exponential growth (× ");
    expect(growthText(law(0.9, 0.99))).not.toContain("exponential");
    expect(growthText(law(0.9, 0.99))).toContain("a power of depth (∝ ℓ^");
  });

  it("names no winner where the fits cannot be told apart", () => {
    expect(growthText(law(0.961, 0.963))).toContain("equally well");
    expect(growthText(law(1, 0.9), 2)).toContain("equally well");
  });

  it("is left out where no law was fitted", () => {
    const report = sampleReport({ layers: 4 });
    delete report.growth;
    expect(findingsOf(report).map(({ kind }) => kind)).not.toContain("growth");
  });
});

describe("the identity finding", () => {
  it("names single layers as such", () => {
    const text = textOf(sampleReport({ layers: 2 }), "identity");
    expect(text).toContain("in layer 0 and");
    expect(text).toContain("in layer 1;");
  });
});

describe("the removal finding", () => {
  it("counts every layer once, and lists the free ones", () => {
    const report = sampleReport({ layers: 12 });
    const counts = { free: 0, needed: 0, uncertain: 0 };
    for (const layer of report.layers) counts[verdictOf(layer, report.baseline)!]++;
    const finding = findingsOf(report).find(({ kind }) => kind === "removal")!;
    expect(finding.layers).toHaveLength(counts.free);
    expect(finding.text).toContain(`uses ${counts.needed} of 12 layers`);
  });

  it("waits until every layer has been judged", () => {
    const report = sampleReport({ layers: 12, pruning: false });
    expect(findingsOf(report).map(({ kind }) => kind)).not.toContain("removal");
  });
});

describe("the verdict on a layer", () => {
  const baseline = { nll: 3, standardError: 0.1, perplexity: Math.exp(3) };
  const judged = (deltaNll: number, standardError?: number): string | undefined =>
    verdictOf(
      {
        index: 0,
        path: "layers.0",
        pruning: { deltaNll, ...(standardError !== undefined && { standardError }) },
      },
      baseline,
    );

  it("is free, needed or uncertain by the 95% bounds around 1% perplexity", () => {
    expect(judged(0.001, 0.001)).toBe("free");
    expect(judged(0.1, 0.01)).toBe("needed");
    expect(judged(0.02, 0.01)).toBe("uncertain");
    expect(judged(-0.1, 0.01)).toBe("free");
  });

  it("is uncertain where the error is unknown, however large the cost", () => {
    expect(judged(5)).toBe("uncertain");
    expect(judged(0)).toBe("uncertain");
  });

  it("is none without a measured cost or a baseline", () => {
    const layer: LayerReport = { index: 0, path: "layers.0" };
    expect(verdictOf(layer, baseline)).toBeUndefined();
    expect(
      verdictOf({ ...layer, pruning: { deltaNll: 0, standardError: 0 } }, undefined),
    ).toBeUndefined();
  });
});

function law(exponential: number, power: number): GrowthLaw {
  return {
    exponential: { rate: 0.2, intercept: 0, r2: exponential },
    power: { exponent: 1.5, intercept: 0, r2: power },
  };
}

function growthText(growth: GrowthLaw, layers = 12): string {
  return textOf({ ...sampleReport({ layers }), growth }, "growth");
}

function textOf(report: Report, kind: string): string {
  return findingsOf(report).find((finding) => finding.kind === kind)!.text;
}
