import { describe, expect, it } from "vitest";
import { normHover, normLine } from "../../../src/report/normText";
import { sampleReport } from "./sampleReport";

describe("the line above a norm", () => {
  it("goes from the first layer to the last, with the free layers", () => {
    expect(normLine(sampleReport({ layers: 12 }))).toMatchInlineSnapshot(
      `"σ² 0.385 → 190 ▁▂▃▃▄▅▅▆▆▇▇█  ·  ‖J−I‖ 0.874 → 0.108 █▇▅▄▃▂▂▂▁▁▁▁  ·  4 of 12 layers nearly free to remove"`,
    );
  });

  it("averages neighbours of a deep model into a short line", () => {
    const line = normLine(sampleReport({ layers: 96 }));
    expect(/[▁-█]+/.exec(line)![0]).toHaveLength(24);
  });

  it("leaves out what was not measured", () => {
    const report = sampleReport({ layers: 12, pruning: false });
    expect(normLine(report)).not.toContain("free");
    expect(normLine({ ...report, layers: [] })).toBe("");
  });
});

describe("the hover of a norm", () => {
  it("has one row a layer, and of very deep models the ends", () => {
    const rows = (layers: number) =>
      normHover(sampleReport({ layers }), "model.layers.*.input_layernorm")
        .split("\n")
        .filter((line) => /^\| \d/.test(line)).length;
    expect(rows(12)).toBe(12);
    expect(rows(96)).toBe(48);
  });
});
