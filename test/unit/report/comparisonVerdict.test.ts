import { describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { compareReports, type NamedReport } from "../../../src/report/comparison";
import { comparisonCsv, comparisonCsvColumns } from "../../../src/report/comparisonCsv";
import { comparisonSentences, factor } from "../../../src/report/comparisonVerdict";
import { without } from "./measuredReport";
import { sampleReport } from "./sampleReport";

const preLn: NamedReport = { name: "pre-ln", report: sampleReport({ layers: 12 }) };
const lns: NamedReport = { name: "lns", report: sampleReport({ layers: 12, scheme: "lns" }) };

describe("comparisonSentences", () => {
  it("cites the numbers of both, their difference and its error", () => {
    expect(comparisonSentences(compareReports([preLn, lns]))).toMatchSnapshot();
  });

  it("says where a difference is no more than the error", () => {
    const sentences = comparisonSentences(compareReports([preLn, { ...preLn, name: "copy" }]));
    expect(sentences[0]).toMatch(/ in copy \(×1\.00 ± 0 as much, not told apart\)\.$/);
    expect(sentences.at(-1)).toContain("the output variance of 0 of 12 layers");
  });

  it("leaves out what no report has", () => {
    const bare = (report: Report): Report => ({
      ...without(report, "baseline"),
      layers: report.layers.map((layer) => without(layer, "pruning")),
    });
    const sentences = comparisonSentences(
      compareReports([preLn, lns].map(({ name, report }) => ({ name, report: bare(report) }))),
    );
    expect(sentences.join()).not.toMatch(/loss|Removing|pruning/);
    expect(sentences).toHaveLength(3);
  });

  it("compares every other with the reference", () => {
    const third = { name: "third", report: sampleReport({ layers: 6, seed: 3 }) };
    const sentences = comparisonSentences(compareReports([preLn, lns, third], 2));
    expect(sentences[0]).toMatch(/ in third, .* in pre-ln \(.*\) and .* in lns \(/);
    expect(sentences[1]).toMatch(/of the deep half costs/);
    expect(sentences).toHaveLength(6);
  });
});

describe("factor", () => {
  it("has an interval about the factor", () => {
    expect(factor(Math.log(2), 0.05)).toEqual({ value: "×2.00", error: "0.20" });
    expect(factor(0, 0)).toEqual({ value: "×1.00", error: "0" });
    expect(factor(Math.log(3), undefined)).toEqual({ value: "×3.00", error: "?" });
  });
});

describe("comparisonCsv", () => {
  it("has one row for each difference, and a reason where there is none", () => {
    const shallow = { name: "shallow, =1+1", report: sampleReport({ layers: 4 }) };
    const lines = comparisonCsv(compareReports([preLn, shallow]))
      .trimEnd()
      .split("\r\n");
    expect(lines[0]).toBe(comparisonCsvColumns.join(","));
    expect(lines).toHaveLength(1 + 4 + 3 * 12);
    expect(lines[1]).toMatch(/^pre-ln,"shallow, =1\+1",baselineNll,,2\.834,2\.834,0,/);
    expect(lines.at(-1)).toBe(
      'pre-ln,"shallow, =1+1",deltaNll,11,,,,,,,,no counterpart: the other has 4 layers',
    );
  });
});
