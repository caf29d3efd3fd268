import { describe, expect, it } from "vitest";
import { bandPath, geometryOf, linePath } from "../../../webview/side/compactGeometry";
import { chartIds, compactModels, fewTicks } from "../../../webview/side/compactModels";
import { readChoice } from "../../../webview/side/sideChoice";
import { sampleReport } from "../report/sampleReport";

const choice = { isJacobianLog: true, isPruningLog: false };
const view = (layers: number, measured = layers) => ({
  report: sampleReport({ layers, measured, pruning: measured === layers }),
  layers,
  isRunning: measured < layers,
});

describe("the small charts", () => {
  it("say the same figures as the panel, without the theory's curves", () => {
    const models = compactModels(view(12), choice);
    expect(models.map(({ id }) => id)).toEqual(chartIds);
    expect(models.map(({ chart }) => chart.curves)).toEqual([[], [], []]);
    expect(models[0]!.figureOf(3)).toMatch(/^[\d.]+ ± [\d.]+$/);
    expect(models[2]!.figureOf(3)).toMatch(/^\+[\d.]+% \(±[\d.]+\)$/);
    expect(models[2]!.summary).toMatch(/^\+[\d.]+% … ×\d+$/);
  });

  it("have the panel's axis of costs, and its marks for those below it", () => {
    const report = sampleReport({ layers: 12 });
    report.layers[7]!.pruning!.deltaNll = -0.002;
    const pruning = compactModels(
      { report, layers: 12, isRunning: false },
      { isJacobianLog: true, isPruningLog: true },
    )[2]!.chart;
    expect(pruning.axis.kind).toBe("log");
    expect(pruning.belowAxis?.points.map(({ layer }) => layer)).toEqual([7]);
    expect(pruning.measured.points.map(({ layer }) => layer)).not.toContain(7);
  });

  it("say why there is no figure", () => {
    const [variance, , pruning] = compactModels(view(12, 4), choice);
    expect(variance!.figureOf(9)).toBe("not measured yet");
    expect(pruning!.chart.emptiness).toBe("Not measured yet");
  });

  it("have at most three ticks, evenly spaced on a linear axis", () => {
    const axis = (kind: "linear" | "log", ticks: number[]) => ({ kind, min: 0, max: 9, ticks });
    expect(fewTicks(axis("linear", [0, 1, 2, 3]))).toEqual([0, 3]);
    expect(fewTicks(axis("linear", [0, 1, 2, 3, 4]))).toEqual([0, 2, 4]);
    expect(fewTicks(axis("log", [2, 5, 10, 20, 50, 100]))).toEqual([2, 10, 100]);
    expect(fewTicks(axis("log", [1, 10]))).toEqual([1, 10]);
  });
});

describe("the drawing", () => {
  const [variance] = compactModels(view(12), choice);
  const geometry = geometryOf(variance!.chart, { width: 300, height: 92 });

  it("finds the layer that a place belongs to", () => {
    for (let layer = 0; layer < 12; layer++) {
      expect(geometry.layerAt(geometry.x(layer))).toBe(layer);
      expect(geometry.layerAt(geometry.x(layer) + geometry.step * 0.45)).toBe(layer);
    }
    expect(geometry.layerAt(-50)).toBe(0);
    expect(geometry.layerAt(5000)).toBe(11);
  });

  it("puts the ends of the axis at the ends of the plot, and what is beyond there too", () => {
    const { axis } = variance!.chart;
    expect(geometry.y(axis.max)).toBeCloseTo(geometry.plot.top);
    expect(geometry.y(axis.min)).toBeCloseTo(geometry.plot.bottom);
    expect(geometry.y(0)).toBeCloseTo(geometry.plot.bottom);
  });

  it("interrupts line and band where a layer has no figure", () => {
    const points = variance!.chart.measured.points.filter(({ layer }) => layer !== 5);
    expect(linePath(points, geometry).match(/M/g)).toHaveLength(2);
    expect(bandPath(points, geometry).match(/Z/g)).toHaveLength(2);
  });
});

it("what was saved by another version is read field by field", () => {
  const usual = { isTable: false, isJacobianLog: true, isPruningLog: true };
  expect(readChoice(undefined)).toEqual(usual);
  expect(readChoice({ isTable: "yes", isJacobianLog: false })).toEqual({
    ...usual,
    isJacobianLog: false,
  });
});
