import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sparkline } from "../../../src/report/sparkline";

describe("sparkline", () => {
  it("runs from the smallest to the largest", () => {
    expect(sparkline([1, 2, 3, 4, 5, 6, 7, 8])).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([1, 10, 100], "log")).toBe("▁▅█");
    expect(sparkline([5, 5])).toBe("▁▁");
  });

  it("marks what it cannot draw", () => {
    expect(sparkline([1, undefined, 2])).toBe("▁·█");
    expect(sparkline([-1, 1, 10], "log")).toBe("·▁█");
    expect(sparkline([undefined])).toBe("·");
  });

  it("averages neighbours where there is no room for all", () => {
    expect(sparkline([1, 3, 5, 7, 9, 11], "linear", 3)).toBe("▁▅█");
  });

  it("has one character for each figure", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double(), { nil: undefined })), (values) => {
        expect(sparkline(values)).toHaveLength(values.length);
      }),
    );
  });
});
