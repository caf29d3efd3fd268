import { describe, expect, it } from "vitest";
import { answerMarkdown, layerTableMarkdown } from "../../../src/report/markdown";
import { sampleReport } from "./sampleReport";

describe("the table of layers as Markdown", () => {
  it("has as many cells in every row", () => {
    const lines = layerTableMarkdown(sampleReport({ layers: 12 })).split("\n");
    expect(lines).toHaveLength(14);
    expect(new Set(lines.map((line) => line.split("|").length)).size).toBe(1);
  });
});

describe("an assistant's answer", () => {
  it("carries the verdict and the figures of every layer", () => {
    const report = sampleReport({ layers: 12 });
    const answer = answerMarkdown(report);
    for (const { text } of report.findings) expect(answer).toContain(text.slice(0, 20));
    expect(answer).toContain("17.0");
    expect(answer.match(/^\| \d+ /gm)).toHaveLength(12);
  });

  it("lets nothing out of a file act as Markdown", () => {
    const report = sampleReport({ layers: 2 });
    report.checkpoint.path = "/tmp/<img src=x>](command:evil)`\n# Title";
    const answer = answerMarkdown(report);
    expect(answer).not.toMatch(/(?<!\\)<img/);
    expect(answer).not.toMatch(/\n# Title/);
    expect(answer).toContain("\\<img");
  });
});
