import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readNavigation, type Navigation } from "../../../webview/panel/navigation";

const untouched: Navigation = {
  chart: { part: "layer", isPruningLog: true, isJacobianLog: true },
  table: { sort: { column: "layer", descending: false }, allFigures: false },
};

describe("readNavigation", () => {
  it("returns what was saved", () => {
    const saved: Navigation = {
      chart: { part: "attention", isPruningLog: false, isJacobianLog: true },
      table: { sort: { column: "deltaNll", descending: true }, allFigures: true },
      layer: 7,
      norm: { path: "model.layers.*.input_layernorm", feeds: "attention" },
    };
    expect(readNavigation(JSON.parse(JSON.stringify(saved)))).toEqual(saved);
  });

  it("starts untouched from nothing, and from anything", () => {
    expect(readNavigation(undefined)).toEqual(untouched);
    expect(readNavigation({ chart: { part: "head" }, layer: -1 })).toEqual(untouched);
    expect(readNavigation({ norm: { path: "model.norm", feeds: "tail" } })).toEqual(untouched);
    fc.assert(
      fc.property(fc.anything(), (saved) => {
        expect(Object.keys(readNavigation(saved))).toEqual(
          expect.arrayContaining(["chart", "table"]),
        );
      }),
    );
  });
});
