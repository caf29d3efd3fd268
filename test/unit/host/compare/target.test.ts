import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  comparisonTargets,
  distinctNames,
  TargetError,
  targetText,
} from "../../../../src/host/compare/target";

describe("comparisonTargets", () => {
  it("takes paths of checkpoints and reports, and what the tree passes", () => {
    const targets = comparisonTargets(
      [
        "/runs/pre-ln/step-2600",
        "/runs/model.safetensors.index.json",
        "/reports/lns.fathom.json",
        { checkpointPath: "/runs/lns" },
        { reportKey: "ab12" },
      ],
      6,
    );
    expect(targets).toEqual([
      { kind: "checkpoint", path: "/runs/pre-ln/step-2600" },
      { kind: "checkpoint", path: "/runs/model.safetensors.index.json" },
      { kind: "reportFile", path: "/reports/lns.fathom.json" },
      { kind: "checkpoint", path: "/runs/lns" },
      { kind: "keptReport", key: "ab12" },
    ]);
    // What a panel remembers leads to the same.
    expect(comparisonTargets(targets.map(targetText), 6)).toEqual(targets);
  });

  it("counts what was named twice once, and refuses fewer than two and too many", () => {
    expect(() => comparisonTargets(["/a", "/a", { checkpointPath: "/a" }], 6)).toThrow(
      "a comparison takes at least two checkpoints or reports, not 1.",
    );
    expect(() => comparisonTargets(["/a", "/b", "/c"], 2)).toThrow(
      "a comparison takes at most 2 checkpoints or reports, not 3.",
    );
  });

  it("refuses anything else", () => {
    const others = fc
      .anything()
      .filter((one) => typeof one !== "string" || !/^(\/|report:)/.test(one));
    fc.assert(
      fc.property(others, (other) => {
        expect(() => comparisonTargets(["/a", other], 6)).toThrow(TargetError);
      }),
    );
  });
});

describe("distinctNames", () => {
  it("counts equal names", () => {
    expect(distinctNames(["a", "b", "a", "a"])).toEqual(["a", "b", "a (2)", "a (3)"]);
  });
});
