import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { discoveryThreshold, twoSidedP } from "../../../src/report/significance";

describe("twoSidedP", () => {
  // I_{ν/(ν+t²)}(ν/2, 1/2) by mpmath 1.3 with 30 digits.
  it.each([
    [0.001, 1, 0.999363380439839],
    [0.5, 1, 0.704832764699133],
    [5, 1, 0.125665916378002],
    [0.5, 2, 0.666666666666667],
    [40, 2, 0.000624414672184741],
    [0.001, 7, 0.999230017244999],
    [1.96, 7, 0.0908196953681812],
    [2.3646, 7, 0.0500017836873644],
    [40, 7, 1.59021799848504e-9],
    [5, 30, 2.32966854670078e-5],
    [20, 30, 6.74908366577129e-19],
    [1.96, 1000, 0.0502731849557487],
    [20, 1000, 4.06228849952477e-75],
    [0.5, 2047, 0.617128820538088],
    [5, 2047, 6.22104031602944e-7],
  ])("of t = %s with %s degrees of freedom is %s", (t, degrees, expected) => {
    expect(Math.abs(twoSidedP(t, degrees) / expected - 1)).toBeLessThan(1e-9);
    expect(twoSidedP(-t, degrees)).toBe(twoSidedP(t, degrees));
  });

  it("is certain of no difference, and of one without an error", () => {
    expect(twoSidedP(0, 7)).toBe(1);
    expect(twoSidedP(Infinity, 7)).toBe(0);
    expect(twoSidedP(-Infinity, 1)).toBe(0);
    expect(twoSidedP(Number.NaN, 7)).toBeNaN();
  });

  it("falls with |t|, and is larger the fewer the degrees of freedom", () => {
    const t = fc.double({ min: 0.01, max: 30, noNaN: true });
    const degrees = fc.double({ min: 1, max: 5000, noNaN: true });
    fc.assert(
      fc.property(t, degrees, (t, degrees) => {
        const p = twoSidedP(t, degrees);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(twoSidedP(t * 1.1, degrees)).toBeLessThanOrEqual(p);
        expect(twoSidedP(t, degrees * 1.1)).toBeLessThanOrEqual(p * (1 + 1e-9));
      }),
    );
  });
});

describe("discoveryThreshold", () => {
  it("is the one of Benjamini and Hochberg's own example", () => {
    // Controlling the false discovery rate, 1995, section 3.2: the four smallest are significant.
    const p = [
      0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719,
      0.6528, 0.759, 1,
    ];
    expect(discoveryThreshold(p, 0.05)).toBe(0.0095);
    expect(discoveryThreshold(p.toReversed(), 0.05)).toBe(0.0095);
  });

  it("is none without a small p value", () => {
    expect(discoveryThreshold([], 0.05)).toBeUndefined();
    expect(discoveryThreshold([0.06, 0.9], 0.05)).toBeUndefined();
  });

  it("lies between Bonferroni's and the rate itself", () => {
    const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(pValues, (p) => {
        const threshold = discoveryThreshold(p, 0.05);
        if (threshold !== undefined) {
          expect(threshold).toBeLessThanOrEqual(0.05);
          const rejected = p.filter((one) => one <= threshold).length;
          expect(threshold).toBeLessThanOrEqual((0.05 * rejected) / p.length);
        }
        // Whatever Bonferroni rejects is rejected.
        for (const one of p) {
          if (one <= 0.05 / p.length) expect(threshold).toBeGreaterThanOrEqual(one);
        }
      }),
    );
  });
});
