import { describe, expect, it } from "vitest";
import { reportTable } from "../../../src/report/terminal";
import { sampleReport } from "./sampleReport";

const plain = { colour: false, width: 100 };

describe("reportTable", () => {
  it("reads from the checkpoint to how it was measured", () => {
    expect(reportTable(sampleReport({ layers: 12 }), plain)).toMatchSnapshot();
  });

  it("keeps within the width", () => {
    for (const width of [60, 80, 120])
      for (const layers of [12, 100]) {
        const text = reportTable(sampleReport({ layers }), { colour: false, width });
        for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(width);
      }
  });

  it("shows every figure, in a further table where the width is too small", () => {
    const report = sampleReport({ layers: 3 });
    for (const width of [60, 100, 400]) {
      const text = reportTable(report, { colour: false, width });
      for (const head of ["variance", "attention ΔNLL", "feed-forward ΔNLL", "block influence"]) {
        expect(text.match(new RegExp(`^layer .*\\b${head}( |$)`, "gm")), head).toHaveLength(1);
      }
      expect(text.match(/^layer .*$/gm)!.length).toBe({ 60: 3, 100: 2, 400: 1 }[width]);
    }
  });

  it("leaves out notices that have been told", () => {
    const report = sampleReport({ layers: 3 });
    report.findings.push({ kind: "notice", layers: [], text: "The CPU is used instead." });
    expect(reportTable(report, plain)).toContain("The CPU is used instead.");
    expect(reportTable(report, { ...plain, notices: false })).not.toContain("CPU is used");
  });

  it("counts images where images were evaluated", () => {
    const report = sampleReport({ layers: 12, measured: 4, pruning: false });
    report.evaluation.input = "images";
    const text = reportTable(report, plain).replaceAll("\n", " ");
    expect(text).toContain("Measured on 16 images of default text, of 48 images planned, on cpu");
    expect(text).toContain("± is a 95% interval over images.");
    expect(text).not.toContain("token");
  });

  it("writes a dash for an absent figure and lists the reason once", () => {
    const report = sampleReport({ layers: 12, withoutJacobian: [3, 4, 5, 9] });
    const text = reportTable(report, plain);
    expect(text).toMatch(/^ +3 .* – /m);
    expect(text).toContain("layers 3–5 and 9, jacobian: the tangent overflowed fp32");
    expect(text.match(/overflowed/g)).toHaveLength(1);
  });

  it("shows what a stopped run has measured", () => {
    const text = reportTable(sampleReport({ layers: 12, measured: 4, pruning: false }), plain);
    expect(text).not.toContain("verdict");
    expect(text).toContain("of 48 documents planned");
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it("colours only when asked, and the same text", () => {
    const report = sampleReport({ layers: 12 });
    const coloured = reportTable(report, { ...plain, colour: true });
    expect(reportTable(report, plain)).not.toContain("\u001b");
    expect(coloured).toContain("\u001b[");
    const codes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g");
    expect(coloured.replace(codes, "")).toBe(reportTable(report, plain));
  });

  it("obeys no escape sequence out of a file", () => {
    const report = sampleReport({ layers: 2 });
    report.checkpoint.path = "/runs/\u001b]0;owned\u0007\u202egnp";
    report.architecture.family = "\u009b31m";
    expect(reportTable(report, plain).replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});
