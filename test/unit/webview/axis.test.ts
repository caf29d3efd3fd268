import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  layerStep,
  linearAxis,
  logAxis,
  tickText,
  type ValueAxis,
} from "../../../webview/shared/axis";

const positive = fc.double({ min: 1e-12, max: 1e12, noNaN: true });

const figures = fc
  .double({ min: -1e9, max: 1e9, noNaN: true })
  .map((value) => (Math.abs(value) < 1e-200 ? 0 : value));

/** Less than anyone could see. */
const hair = (axis: ValueAxis) => 1e-8 * (axis.max - axis.min);

describe("linearAxis", () => {
  it("starts at zero and ends on a round tick", () => {
    expect(linearAxis([0.11, 0.93])).toEqual({
      kind: "linear",
      min: 0,
      max: 1,
      ticks: [0, 0.25, 0.5, 0.75, 1],
    });
  });

  it("gives a little room, not a whole step, to what is a little below zero", () => {
    const axis = linearAxis([-0.01, 5.6]);
    expect(axis.min).toBe(-0.5);
    expect(axis.ticks[0]).toBe(0);
    expect(linearAxis([-3, 5]).ticks[0]).toBe(-4);
  });

  it("holds zero and every figure", () => {
    fc.assert(
      fc.property(fc.array(figures), (values) => {
        const axis = linearAxis(values);
        for (const value of [0, ...values]) {
          expect(value).toBeGreaterThanOrEqual(axis.min - hair(axis));
          expect(value).toBeLessThanOrEqual(axis.max + hair(axis));
        }
        expect(axis.max).toBeGreaterThan(axis.min);
        expect(axis.ticks.length).toBeLessThan(12);
      }),
    );
  });
});

describe("logAxis", () => {
  it("has powers of ten over decades, and 1, 2, 5 within few", () => {
    expect(logAxis([0.4, 812])).toEqual({
      kind: "log",
      min: 0.2,
      max: 1000,
      ticks: [1, 10, 100, 1000],
    });
    expect(logAxis([0.5, 2.1]).ticks).toEqual([0.5, 1, 2, 5]);
  });

  it("holds every figure above zero and has at least two ticks", () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        const axis = logAxis([...values, 0, -1, NaN]);
        for (const value of values) {
          expect(value).toBeGreaterThanOrEqual(axis.min * (1 - 1e-9));
          expect(value).toBeLessThanOrEqual(axis.max * (1 + 1e-9));
        }
        expect(axis.ticks.length).toBeGreaterThanOrEqual(2);
        expect(axis.ticks.length).toBeLessThan(9);
      }),
    );
  });
});

describe("tickText", () => {
  it.each([
    [0, "0"],
    [0.25, "0.25"],
    [-2, "−2"],
    [1000, "1000"],
    [100000, "10⁵"],
    [500000, "5×10⁵"],
    [0.00001, "10⁻⁵"],
  ])("writes %d as %s", (value, text) => {
    expect(tickText(value)).toBe(text);
  });
});

describe("layerStep", () => {
  it("labels every layer where there is room, and round numbers where there is not", () => {
    expect(layerStep(12, 520)).toBe(1);
    expect(layerStep(32, 520)).toBe(5);
    expect(layerStep(100, 520)).toBe(10);
    expect(layerStep(32, 1200)).toBe(1);
  });
});
