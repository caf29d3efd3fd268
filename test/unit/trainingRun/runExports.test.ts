import { describe, expect, it } from "vitest";
import { runCsv, runCsvColumns } from "../../../src/trainingRun/runCsv";
import { runHtml } from "../../../src/trainingRun/runHtml";
import { runJson } from "../../../src/trainingRun/runJson";
import type { RunReport } from "../../../src/trainingRun/runReport";
import { sampleReport } from "../report/sampleReport";

const report = sampleReport({ layers: 3 });
const run: RunReport = {
  schemaVersion: 1,
  folder: "/runs/</script><script>alert(1)</script>",
  steps: [
    { step: 100, name: "step-100", report },
    { step: 200, name: "step-200", failure: "model.safetensors, which is short" },
    { step: 300, name: "step-300" },
  ],
  losses: [],
  problems: [],
};

describe("a run as CSV", () => {
  const lines = runCsv({ name: "run", run }).trimEnd().split("\r\n");

  it("has a row for every step and layer, and one for a step without a report", () => {
    expect(lines).toHaveLength(1 + 3 + 1 + 1);
    expect(lines[0]).toBe(runCsvColumns.join(","));
    const cells = lines[2]!.split(",");
    expect(cells.slice(0, 2)).toEqual(["100", "step-100"]);
    expect(Number(cells[2])).toBe(report.baseline?.nll);
    expect(Number(cells[runCsvColumns.indexOf("index")])).toBe(1);
    expect(Number(cells[runCsvColumns.indexOf("outputVariance.mean")])).toBe(
      report.layers[1]!.outputVariance?.mean,
    );
  });

  it("says why a step has no figures, in as many fields", () => {
    expect(lines[4]).toMatch(/^200,step-200,,.*,"model\.safetensors, which is short"$/);
    expect(lines[5]).toMatch(/^300,step-300,,.*,not measured$/);
    expect(lines[5]!.split(",")).toHaveLength(runCsvColumns.length);
  });

  it("of two runs names the run of every row", () => {
    const pair = { name: "pre-ln", run, other: { name: "lns, 2nd", run } };
    const rows = runCsv(pair).trimEnd().split("\r\n");
    expect(rows[0]).toBe(["run", ...runCsvColumns].join(","));
    expect(rows.slice(1, 6).map((row) => row.slice(7))).toEqual(lines.slice(1));
    expect(rows.slice(6).map((row) => row.replace('"lns, 2nd",', ""))).toEqual(lines.slice(1));
  });
});

describe("a run as JSON", () => {
  it("is its report, with the run beside it where there is one", () => {
    expect(JSON.parse(runJson({ name: "pre-ln", run }))).toEqual(run);
    const other = { name: "lns", run: { ...run, folder: "/runs/lns" } };
    expect(JSON.parse(runJson({ name: "pre-ln", run, other }))).toEqual({ ...run, other });
  });
});

describe("a run as a page", () => {
  it("holds what was measured, and lets none of it out of its element", () => {
    const assets = { script: "run()", style: "body{}" };
    const page = runHtml({ name: "<b>run</b>", run }, assets);
    expect(page).toContain("<title>&lt;b&gt;run&lt;/b&gt; – Fathom</title>");
    expect(page).not.toContain("alert(1)</script>");
    const data = /id="fathom-run">(.*)<\/script>/.exec(page)?.[1];
    expect(JSON.parse(data!)).toEqual({ name: "<b>run</b>", run });
    expect(page).toContain("default-src 'none'");
  });
});
