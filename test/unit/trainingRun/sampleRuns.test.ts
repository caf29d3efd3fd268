/**
 * The figures of the paper (Sun et al., arXiv 2502.05795) on the sample's own two runs, measured here:
 * output variance and the cost of removing a layer over depth (Figure 1), and the output variance of
 * each layer over training (Figure 6), Pre-LN beside LayerNorm Scaling on the same scales.
 */
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { discoverRun } from "../../../src/trainingRun/discover";
import { scaleOf, shareOf } from "../../../src/trainingRun/heatMap";
import { readLossLogs } from "../../../src/trainingRun/lossLogs";
import { pairFindings } from "../../../src/trainingRun/pairFindings";
import type { NamedRun } from "../../../src/trainingRun/runReport";
import { behindStep } from "../../../webview/run/behind";
import { heatModels, layerLines, lossModel } from "../../../webview/run/runModel";
import { stepModels } from "../../../webview/run/stepModels";
import { ensureBuilt, runCli } from "../support/cli";

const sample = path.join(import.meta.dirname, "../../../media/sample");
const layers = 16;
let preLn: NamedRun;
let lns: NamedRun;

beforeAll(async () => {
  ensureBuilt();
  preLn = await measured("pre-ln");
  lns = await measured("lns");
}, 300_000);

async function measured(name: string): Promise<NamedRun> {
  const run = await discoverRun(path.join(sample, name));
  const steps: NamedRun["run"]["steps"] = [];
  for (const { step, name: checkpoint, path: place } of run.steps) {
    const text = ["--text", path.join(sample, "held-out.txt")];
    const limits = ["--max-tokens", "256", "--sequence-length", "64"];
    const metrics = ["--metrics", "variance,pruning", "--device", "cpu"];
    const { stdout } = await runCli([
      "diagnose",
      place,
      ...text,
      ...limits,
      ...metrics,
      "--json",
      "-",
    ]);
    steps.push({ step, name: checkpoint, report: JSON.parse(stdout) as Report });
  }
  const { series, problems } = await readLossLogs(run);
  return { name, run: { schemaVersion: 1, folder: run.folder, steps, losses: series, problems } };
}

const variancesOf = ({ run }: NamedRun): number[][] =>
  run.steps.map(({ report }) => report!.layers.map((layer) => layer.outputVariance!.mean));

describe("over training, as in Figure 6", () => {
  it("Pre-LN's variance grows, over depth at every step and after the last layer over steps", () => {
    const columns = variancesOf(preLn);
    expect(columns.length).toBeGreaterThanOrEqual(4);
    for (const column of columns) {
      expect(column).toHaveLength(layers);
      expect(column.every((value, i) => i === 0 || value > column[i - 1]!)).toBe(true);
    }
    expect(columns.at(-1)!.at(-1)!).toBeGreaterThan(1.5 * columns[0]!.at(-1)!);
  });

  it("it exceeds that of LNS after every layer of every step, and grows more over depth", () => {
    const [mine, theirs] = [variancesOf(preLn), variancesOf(lns)];
    mine.forEach((column, at) => {
      const other = theirs[at]!;
      column.forEach((value, layer) => {
        expect(value).toBeGreaterThan(other[layer]!);
      });
      expect(column.at(-1)!).toBeGreaterThan(5 * other.at(-1)!);
      expect(column.at(-1)! / column[0]!).toBeGreaterThan(other.at(-1)! / other[0]!);
    });
  });

  it("both heat maps have one scale, which reaches from the one's lowest to the other's highest", () => {
    const models = heatModels([preLn.run.steps, lns.run.steps], "variance");
    const [first, second] = models.map(({ map }) => map);
    expect(first!.scale).toEqual(second!.scale);
    const all = [...variancesOf(preLn), ...variancesOf(lns)].flat();
    expect(first!.scale.min).toBe(Math.min(...all));
    expect(first!.scale.max).toBe(Math.max(...all));
    // Alone, each would take the whole of the colours.
    expect(scaleOf(variancesOf(lns).flat(), "variance").max).toBeLessThan(first!.scale.max / 5);
    const shares = (map: typeof first): number[] =>
      map!.columns.map((column) => shareOf(map!.scale, column.at(-1)!.value));
    shares(first).forEach((share, at) => {
      expect(share).toBeGreaterThan(shares(second)[at]! + 0.3);
    });
  });

  it("the lines of both have one axis", () => {
    const [mine, theirs] = layerLines([preLn.run.steps, lns.run.steps], "variance", [0, 15]);
    expect(mine!.axis).toEqual(theirs!.axis);
    const tops = [mine!, theirs!].map(({ lines }) => lines[1]!.points.map(({ value }) => value));
    tops[0]!.forEach((value, at) => {
      expect(value).toBeGreaterThan(tops[1]![at]!);
    });
  });

  it("the losses of both lie over each other, each under its name", () => {
    const { lines } = lossModel([preLn, lns], false);
    expect(lines.map(({ label, place }) => [label, place])).toEqual([
      ["pre-ln: loss (training_log.csv)", 0],
      ["pre-ln: held_out_loss (trainer_state.json)", 0],
      ["pre-ln: measured, 95% interval", 0],
      ["lns: loss (training_log.csv)", 1],
      ["lns: held_out_loss (trainer_state.json)", 1],
      ["lns: measured, 95% interval", 1],
    ]);
    expect(lines.every(({ points }) => points.length >= 4)).toBe(true);
  });

  it("is said in words", () => {
    const sentences = pairFindings(preLn, lns);
    const number = String.raw`[\d.]+`;
    expect(sentences[0]).toMatch(
      /^At step 2,600, output variance after the last layer is .+ ± .+ in pre-ln and .+ ± .+ in lns, a ratio of [\d.]+\.$/,
    );
    expect(sentences[1]).toMatch(/grows [\d.]+-fold in pre-ln and [\d.]+-fold in lns\.$/);
    expect(sentences[2]).toMatch(
      new RegExp(`^Between steps 250 and 2,600, .+ \\(×${number}\\) in pre-ln .+ in lns\\.$`),
    );
    expect(sentences.at(-1)).toMatch(/^Perplexity on the evaluated text/);
    expect(sentences.join()).not.toMatch(/undefined|NaN/);
  });
});

describe("over depth at the last step, as in Figure 1", () => {
  it("shows variance and what removing each layer costs, of both on one axis", () => {
    const { steps } = preLn.run;
    const step = steps.length - 1;
    const behind = behindStep(steps, step, "none", lns);
    const [variance, , pruning] = stepModels({
      ...{ name: "pre-ln", steps, step, other: lns, behind, layers, isRunning: false },
    });
    const last = (run: NamedRun): Report => run.run.steps.at(-1)!.report!;
    expect(variance!.measured.label).toBe("pre-ln");
    expect(variance!.curves.map(({ label }) => label)).toEqual(["lns, step 2,600"]);
    for (const [points, run] of [
      [variance!.measured.points, preLn],
      [variance!.curves[0]!.points, lns],
    ] as const) {
      expect(points.map(({ value }) => value)).toEqual(
        last(run).layers.map(({ outputVariance }) => outputVariance!.mean),
      );
      for (const { value } of points) {
        expect(value).toBeGreaterThan(variance!.axis.min);
        expect(value).toBeLessThan(variance!.axis.max);
      }
    }
    // Every layer's cost is in the chart or named below it, and read out with that of the other run.
    const costs = pruning!.curves[0]!.points.map(({ layer }) => layer);
    const missing = last(lns).layers.filter(({ index }) => !costs.includes(index));
    expect(pruning!.notes.some((note) => note.startsWith("lns, step 2,600: below"))).toBe(
      missing.length > 0,
    );
    expect(pruning!.readout(7)).toMatch(/^pre-ln: .+ΔNLL.+ · lns, step 2,600: ΔNLL/);
    expect(pruning!.curves[0]!.points.every(({ low, high }) => high! > low!)).toBe(true);
  });
});
