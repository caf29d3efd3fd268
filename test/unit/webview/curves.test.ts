import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exponentialFit, lnsTheory, powerFit, preLnTheory } from "../../../webview/panel/curves";

describe("theory curves", () => {
  it("step by σ²(1 + 1/σ) without scaling", () => {
    const [, second, third] = preLnTheory({ layer: 0, variance: 4 }, 2);
    expect(second).toEqual({ layer: 1, variance: 6 });
    expect(third!.variance).toBeCloseTo(6 * (1 + 1 / Math.sqrt(6)));
  });

  it("step by σ²(1 + 1/(√ℓ σ)) with LayerNorm Scaling, ℓ counted from 1", () => {
    const [, second, third] = lnsTheory({ layer: 0, variance: 4 }, 2);
    expect(second).toEqual({ layer: 1, variance: 6 });
    expect(third!.variance).toBeCloseTo(6 * (1 + 1 / (Math.SQRT2 * Math.sqrt(6))));
    // From layer 3 on, ℓ is 4.
    expect(lnsTheory({ layer: 3, variance: 4 }, 4)[1]!.variance).toBeCloseTo(4 * (1 + 1 / 4));
  });

  it("run from the first measured layer to the last layer, and LNS never above Pre-LN", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        fc.nat(50),
        fc.nat(80),
        (variance, layer, more) => {
          const start = { layer, variance };
          const preLn = preLnTheory(start, layer + more);
          const lns = lnsTheory(start, layer + more);
          expect(preLn).toHaveLength(more + 1);
          expect(preLn[0]).toEqual(start);
          expect(preLn.at(-1)!.layer).toBe(layer + more);
          lns.forEach((point, i) => {
            expect(point.variance).toBeLessThanOrEqual(preLn[i]!.variance * (1 + 1e-12));
          });
        },
      ),
    );
  });
});

describe("fits", () => {
  it("follow the growth law as the report defines it", () => {
    const exponential = exponentialFit({ rate: 0.2, intercept: -1, r2: 1 }, 2, 3);
    expect(exponential.map((point) => Math.log(point.variance))).toEqual([
      expect.closeTo(-0.6),
      expect.closeTo(-0.4),
    ]);
    const power = powerFit({ exponent: 1.5, intercept: 0.5, r2: 1 }, 0, 3);
    expect(power.map((point) => Math.log(point.variance))).toEqual([
      expect.closeTo(0.5),
      expect.closeTo(0.5 + 1.5 * Math.log(2)),
      expect.closeTo(0.5 + 1.5 * Math.log(3)),
      expect.closeTo(0.5 + 1.5 * Math.log(4)),
    ]);
  });

  it("are empty where nothing was measured", () => {
    expect(powerFit({ exponent: 1, intercept: 0, r2: 1 }, 0, -1)).toEqual([]);
  });
});
