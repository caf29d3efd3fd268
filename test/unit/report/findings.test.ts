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

  it("calls a variance that stays the same one that does not grow", () => {
    const report = { ...sampleReport({ layers: 4 }), growth: law(0.5, 0.4) };
    for (const layer of report.layers) layer.outputVariance!.mean = 2 + layer.index / 1000;
    expect(textOf(report, "growth")).toBe(
      "Variance does not grow: it is 2.00 after layer 0 and 2.00 after layer 3.",
    );
  });

  it("writes a factor a layer with the digits that tell it from 1, and one below 1 as a decay", () => {
    const exponential = (rate: number): string =>
      growthText({ ...law(0.99, 0.9), exponential: { rate, intercept: 0, r2: 0.99 } });
    expect(exponential(0.0021)).toContain("exponential growth (× 1.0021 a layer");
    expect(exponential(0.15)).toContain("exponential growth (× 1.16 a layer");
    expect(exponential(-0.1)).toContain("exponential decay (× 0.905 a layer");
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

  it("calls a removal that lowers perplexity an improvement", () => {
    const report = sampleReport({ layers: 4 });
    report.layers[2]!.pruning!.deltaNll = -0.015;
    const text = textOf(report, "removal");
    expect(text).toContain("; removing layer 2 improves it by 1.5% (±0.3).");
    expect(text).not.toContain("−");
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

describe("the chance finding", () => {
  it("speaks of images and their classes where those are evaluated", () => {
    const report = sampleReport({ layers: 2 });
    report.baseline = { nll: 12, perplexity: Math.exp(12) };
    expect(textOf(report, "chance")).toContain("12.0 nats a token");
    report.evaluation.input = "images";
    expect(textOf(report, "chance")).toContain("12.0 nats an image");
    expect(textOf(report, "chance")).toContain("guessing among all 32000 classes alike");
  });
});
