import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sortLayers, tableColumns } from "../../../webview/panel/tableColumns";
import { sampleReport } from "../report/sampleReport";

const { layers, baseline } = sampleReport({ layers: 12, withoutJacobian: [3, 8] });
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
    expect(new Set(tableColumns.map((column) => column.head)).size).toBe(tableColumns.length);
  });

  it("writes every figure of a whole layer, and none of an empty one", () => {
    for (const column of tableColumns)
      expect(column.cell(layers[0]!, baseline)?.value, column.id).not.toMatch(/NaN|undefined/);
    const empty = { index: 4, path: "model.layers.4" };
    const shown = tableColumns.filter((column) => column.cell(empty, baseline) !== undefined);
    expect(shown.map((column) => column.id)).toEqual(["layer", "path"]);
  });
});

function rank(verdict: string): number {
  return ["free", "uncertain", "needed"].indexOf(verdict);
}
