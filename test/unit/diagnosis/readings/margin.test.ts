import { expect, it } from "vitest";
import { compare, difference } from "../../../../src/diagnosis/readings/margin";

const tried = (losses: number[]) => ({
  settings: {},
  losses: Float64Array.from(losses),
  mean: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
  expected: 0,
});

it("compares losses of the same predictions in pairs, and those of others by their means", () => {
  const paired = difference(Float64Array.of(1, 2, 3), Float64Array.of(2, 3, 4));
  expect(paired).toEqual({ margin: 1, error: 0 });
  // Variances 1 and 5/3, of the means a third and a quarter of them.
  const apart = difference(Float64Array.of(1, 2, 3), Float64Array.of(3, 4, 5, 6));
  expect(apart.margin).toBeCloseTo(2.5);
  expect(apart.error).toBeCloseTo(Math.sqrt(1 / 3 + 5 / 12));
});

it("calls a reading better that is so by three standard errors", () => {
  const masked = tried([1, 2, 3]);
  expect(compare(masked, tried([3, 4, 5, 6])).isClear).toBe(false);
  expect(compare(masked, tried([6, 7, 8, 9])).isClear).toBe(true);
});
