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
    expect(text).toContain("16 documents of 48 planned");
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
