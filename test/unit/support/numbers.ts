import { expect } from "vitest";

/** A stream of numbers in (−1, 1) that is the same in every run (mulberry32). */
export function pseudoRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** Expects equal lengths and every number within `tolerance` of its twin, relative to the largest. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-30, ...Array.from(expected, Math.abs));
  for (let at = 0; at < expected.length; at++) {
    const deviation = Math.abs(actual[at]! - expected[at]!) / scale;
    expect(
      deviation <= tolerance,
      `number ${at}: expected ${expected[at]!}, found ${actual[at]!}`,
    ).toBe(true);
  }
}

/** Expects two JSON-like values to have the same shape and texts, and numbers equal within a tolerance. */
export function expectSameFigures(
  actual: unknown,
  expected: unknown,
  tolerance: { relative: number; absolute: number },
  path = "",
): void {
  if (typeof expected === "number" && typeof actual === "number") {
    const limit = tolerance.absolute + tolerance.relative * Math.abs(expected);
    expect(
      Math.abs(actual - expected) <= limit,
      `${path}: expected ${expected}, found ${actual}`,
    ).toBe(true);
    return;
  }
  if (typeof expected !== "object" || expected === null) {
    expect(actual, path).toEqual(expected);
    return;
  }
  expect(Object.keys(actual as object), path).toEqual(Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) {
    const twin = (actual as Record<string, unknown>)[key];
    expectSameFigures(twin, value, tolerance, `${path}.${key}`);
  }
}
