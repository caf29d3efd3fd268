import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sortLayers, tableColumns } from "../../../webview/panel/tableColumns";
import { z95 } from "../../../src/report/format";
import { verdictOf } from "../../../src/report/verdict";
import { writtenCost, writtenDifference } from "../../../webview/panel/removalCost";
import { sampleReport, withCrossAttention } from "../report/sampleReport";

const report = sampleReport({ layers: 12, withoutJacobian: [3, 8] });
const { layers, baseline } = report;
const indices = (sorted: typeof layers) => sorted.map((layer) => layer.index);

describe("sortLayers", () => {
  it("keeps layers without the figure last, whichever way", () => {
    for (const descending of [false, true]) {
      const sorted = sortLayers(layers, { column: "jacobian", descending }, baseline);
      expect(indices(sorted).slice(-2)).toEqual([3, 8]);
    }
  });

  it("sorts verdicts by how much the layer is needed", () => {
    const sorted = sortLayers(layers, { column: "verdict", descending: true }, baseline);
    const cells = sorted.map(
      (layer) => tableColumns.find(({ id }) => id === "verdict")!.cell(layer, baseline)!.value,
    );
    expect(cells).toEqual(cells.toSorted().toSorted((a, b) => rank(b) - rank(a)));
  });

  it("sorts every column without losing a layer", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...tableColumns.map((column) => column.id), "a column of an older panel"),
        fc.boolean(),
        (column, descending) => {
          const sorted = sortLayers(layers, { column, descending }, baseline);
          expect(indices(sorted).toSorted((a, b) => a - b)).toEqual(indices(layers));
        },
      ),
    );
  });
});

describe("tableColumns", () => {
  it("has a name of its own for each", () => {
    expect(new Set(tableColumns.map((column) => column.id)).size).toBe(tableColumns.length);
    expect(new Set(tableColumns.map((column) => column.head())).size).toBe(tableColumns.length);
  });

  it("writes every figure of a whole layer, and none of an empty one", () => {
    const [whole] = withCrossAttention(report).layers;
    for (const column of tableColumns)
      expect(column.cell(whole!, baseline)?.value, column.id).not.toMatch(/NaN|undefined/);
    const empty = { index: 4, path: "model.layers.4" };
    const shown = tableColumns.filter((column) => column.cell(empty, baseline) !== undefined);
    expect(shown.map((column) => column.id)).toEqual(["layer", "path"]);
  });
});

describe("writtenCost", () => {
  const cost = (percent: number, error: number) => {
    const deltaNll = Math.log1p(percent / 100);
    return { deltaNll, standardError: error / 100 / (1 + percent / 100) / z95 };
  };

  it("has two digits of the interval", () => {
    expect(writtenCost(cost(0.3, 0.12))).toEqual({
      value: "+0.30",
      error: "0.12",
      isFactor: false,
    });
    expect(writtenCost(cost(-0.94, 2.9))).toMatchObject({ value: "−0.9", error: "2.9" });
    expect(writtenCost({ deltaNll: 0, standardError: 0 })).toMatchObject({
      value: "0",
      error: "0",
    });
    expect(writtenCost({ deltaNll: 0.1 })).toMatchObject({ value: "+10.5", error: "?" });
    expect(writtenCost({ deltaNll: 5.1, standardError: 0.02 })).toMatchObject({
      value: "×164.0",
      isFactor: true,
    });
  });

  it("never hides on which side of the threshold the interval lies", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -0.2, max: 0.3, noNaN: true }),
        fc.double({ min: 1e-4, max: 0.1, noNaN: true }),
        (deltaNll, standardError) => {
          const pruning = { deltaNll, standardError };
          const bounds = [-1, 1].map((side) => Math.expm1(deltaNll + side * z95 * standardError));
          // Nearer to the threshold than any table writes.
          fc.pre(bounds.every((bound) => Math.abs(bound - 0.01) > 1e-4));
          const { value, error } = writtenCost(pruning);
          const [shown, reach] = [Number(value.replace("−", "-")), Number(error)];
          const seen = shown + reach < 1 ? "free" : shown - reach > 1 ? "needed" : "uncertain";
          expect(seen).toBe(verdictOf({ index: 0, path: "", pruning }, baseline));
        },
      ),
    );
  });
});

describe("writtenDifference", () => {
  it("has the interval of the removal at the baseline as measured", () => {
    const pruning = {
      deltaNll: 0.02,
      standardError: 0.005,
      deltaPerplexity: 17.02 * Math.expm1(0.02),
    };
    expect(writtenDifference(pruning, baseline)).toEqual({ value: "+0.34", error: "0.17" });
    expect(writtenDifference({ deltaNll: 0.02, deltaPerplexity: 0.344 }, baseline)).toEqual({
      value: "+0.344",
    });
  });
});

function rank(verdict: string): number {
  return ["free", "uncertain", "needed"].indexOf(verdict);
}
