import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lossTable } from "../../../webview/run/lossRows";
import { heatColour } from "../../../webview/run/colourScale";
import { readRunNavigation } from "../../../webview/run/navigation";
import { cellText, layerLines, lossModel, spreadLayers } from "../../../webview/run/runModel";
import {
  columnEdges,
  isCrowded,
  nearestStep,
  stepAxis,
  stepTick,
  stepTicks,
} from "../../../webview/run/stepAxis";
import type { LossSeries } from "../../../src/trainingRun/lossSeries";
import { sampleReport } from "../report/sampleReport";

const steps = fc
  .uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 30 })
  .map((list) => list.sort((a, b) => a - b));

describe("the axis of steps", () => {
  it("keeps the order of steps, and gives each a column that holds it", () => {
    fc.assert(
      fc.property(steps, fc.boolean(), (list, isLog) => {
        const axis = stepAxis({ steps: list, losses: [] }, isLog);
        const edges = columnEdges(axis, list);
        list.forEach((step, i) => {
          const [left, right] = edges[i]!;
          const place = axis.shareOf(step);
          expect(place).toBeGreaterThanOrEqual(left - 1e-9);
          expect(place).toBeLessThanOrEqual(right + 1e-9);
          expect(left).toBeGreaterThanOrEqual((edges[i - 1]?.[1] ?? 0) - 1e-9);
          expect(right).toBeLessThanOrEqual(1 + 1e-9);
          expect(nearestStep(axis, list, place)).toBe(step);
        });
        for (const tick of stepTicks(axis, 500)) {
          expect(axis.shareOf(tick)).toBeGreaterThanOrEqual(-1e-9);
          expect(axis.shareOf(tick)).toBeLessThanOrEqual(1 + 1e-6);
        }
      }),
    );
  });

  it("has no tick beyond its end", () => {
    const axis = stepAxis({ steps: [0, 999_933], losses: [] }, true);
    expect(stepTicks(axis, 500).at(-1)).toBeLessThanOrEqual(axis.max);
  });

  it("reaches as far as the losses do", () => {
    const axis = stepAxis({ steps: [1000, 2000], losses: [10, 9000] }, false);
    expect(axis.shareOf(10)).toBeGreaterThanOrEqual(0);
    expect(axis.shareOf(9000)).toBeCloseTo(1);
  });

  it("is logarithmic for steps by powers, not for even ones", () => {
    expect(isCrowded([1, 2, 4, 8, 16, 512, 143_000])).toBe(true);
    expect(isCrowded([250, 1000, 2000, 2600])).toBe(false);
  });

  it("writes steps short", () => {
    expect([0, 500, 2600, 20_000, 1_500_000].map(stepTick)).toEqual([
      "0",
      "500",
      "2,600",
      "20k",
      "1.5M",
    ]);
  });
});

describe("colours", () => {
  it("grow lighter from end to end, and run the other way on a light page", () => {
    const lightness = (share: number) => {
      const [red, green, blue] = heatColour(share, false).match(/\d+/g)!.map(Number);
      return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
    };
    const all = Array.from({ length: 41 }, (_, i) => lightness(i / 40));
    expect(all.every((one, i) => i === 0 || one > all[i - 1]!)).toBe(true);
    expect(heatColour(0.2, true)).toBe(heatColour(0.8, false));
  });
});

describe("lines", () => {
  const run = [
    { step: 1, name: "step-1", report: sampleReport({ layers: 12 }) },
    { step: 2, name: "step-2" },
    { step: 3, name: "step-3", failure: "out of memory" },
  ];

  it("of chosen layers, on the axis of all", () => {
    const model = layerLines([run], "variance", [0, 11])[0]!;
    expect(model.lines.map(({ layer, points }) => [layer, points.length])).toEqual([
      [0, 1],
      [11, 1],
    ]);
    expect(layerLines([run], "variance", [0])[0]!.axis).toEqual(model.axis);
    expect(spreadLayers(12)).toEqual([0, 3, 6, 8, 11]);
    expect(spreadLayers(3)).toEqual([0, 1, 2]);
  });

  const named = (name: string, losses: LossSeries[]) => ({
    name,
    run: { schemaVersion: 1 as const, folder: `/runs/${name}`, steps: run, losses, problems: [] },
  });

  it("of losses, beside what was measured, also as perplexity", () => {
    const losses = [
      {
        name: "loss",
        source: "log.csv",
        kind: "training" as const,
        points: [{ step: 1, value: 3 }],
      },
    ];
    const model = lossModel([named("pre-ln", losses)], true);
    expect(model.lines[0]!.points[0]!.value).toBeCloseTo(Math.exp(3));
    const measured = model.lines[1]!.points[0]!;
    expect(measured.value).toBeCloseTo(Math.exp(2.834));
    expect(measured.low).toBeLessThan(measured.value);
  });

  it("of losses as a table, in which no figure stands at another step than its own", () => {
    const training = [
      { step: 1, value: 3 },
      { step: 2, value: 2.5 },
      { step: 4, value: 2.25 },
    ];
    const losses: LossSeries[] = [
      { name: "loss", source: "log.csv", kind: "training", points: training, logged: 4000 },
      { name: "eval_loss", source: "log.csv", kind: "heldOut", points: [{ step: 2, value: 2.75 }] },
      { name: "empty", source: "log.csv", kind: "training", points: [] },
    ];
    const { heads, rows, note } = lossTable([named("pre-ln", losses)], false);
    expect(heads).toEqual([
      "step",
      "loss (log.csv)",
      "eval_loss (log.csv)",
      "measured, 95% interval",
    ]);
    expect(rows).toEqual([
      { step: 1, cells: ["3.00", "–", expect.stringMatching(/^2\.83 \(2\.\d+ – 2\.\d+\)$/)] },
      { step: 2, cells: ["2.50", "2.75", "–"] },
      { step: 4, cells: ["2.25", "–", "–"] },
    ]);
    expect(note).toContain("loss (log.csv): 3 of 4,000 logged steps");
    expect(note).not.toContain("eval_loss (log.csv): 1");

    const pair = lossTable([named("a", losses.slice(0, 1)), named("b", losses.slice(1, 2))], true);
    expect(pair.heads.slice(1)).toEqual([
      "a: loss (log.csv)",
      "a: measured, 95% interval",
      "b: eval_loss (log.csv)",
      "b: measured, 95% interval",
    ]);
    expect(pair.rows[1]).toEqual({ step: 2, cells: ["12.2", "–", "15.6", "–"] });
  });

  it("say why there is nothing", () => {
    expect(cellText(run[1], "variance", 0)).toBe("not measured yet");
    expect(cellText(run[2], "variance", 0)).toBe("not measured: out of memory");
    expect(cellText(run[0], "variance", 0)).toMatch(/^σ² .+ ± .+/);
  });
});

describe("navigation", () => {
  it("survives being kept, and nonsense is left out", () => {
    const kept = readRunNavigation({ view: "lines", step: 250, ghost: 1000, layers: [0, 3] });
    expect(readRunNavigation(JSON.parse(JSON.stringify(kept)))).toEqual(kept);
    expect(kept).toMatchObject({ view: "lines", step: 250, ghost: 1000, layers: [0, 3] });
    expect(readRunNavigation({ view: 3, step: "x", layers: [-1], ghost: {} })).toEqual(
      readRunNavigation(undefined),
    );
  });
});
