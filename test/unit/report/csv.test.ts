import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LayerReport, Report } from "../../../src/diagnosis/report";
import { csvColumns, reportCsv } from "../../../src/report/csv";
import { sampleReport, withCrossAttention } from "./sampleReport";

describe("reportCsv", () => {
  it("has one row per layer and one column per figure", () => {
    const rows = parseCsv(reportCsv(sampleReport({ layers: 12 })));
    expect(rows).toHaveLength(13);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([csvColumns.length]));
    expect(rows[0]!.slice(0, 4)).toEqual([
      "index",
      "path",
      "outputVariance.mean",
      "outputVariance.standardError",
    ]);
  });

  it("names every column by its path in the JSON report, and leaves no figure out", () => {
    const report = withCrossAttention(sampleReport({ layers: 2 }));
    const [header, first] = parseCsv(reportCsv(report));
    const written = new Map(header!.map((name, i) => [name, first![i]!]));
    const figures = leaves(report.layers[0]!);
    for (const [path, value] of figures) expect(written.get(path), path).toBe(String(value));
    expect(written.size).toBe(figures.length + 1); // and `unmeasured`
  });

  it("leaves an absent figure empty and gives its reason", () => {
    const report = sampleReport({ layers: 3, withoutJacobian: [1] });
    const rows = parseCsv(reportCsv(report));
    const column = rows[0]!.indexOf("jacobian.identityDistance");
    expect(rows[2]![column]).toBe("");
    expect(rows[2]!.at(-1)).toBe("jacobian: the tangent overflowed fp32 in 3 of 48 documents");
  });

  it.each([Infinity, -Infinity, NaN])("leaves %d out", (mean) => {
    const rows = parseCsv(reportCsv(withLayer({ index: 0, path: "a", blockInfluence: mean })));
    expect(rows[1]![rows[0]!.indexOf("blockInfluence")]).toBe("");
  });

  it("returns every figure and text unchanged through RFC 4180", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        (path, mean) => {
          const rows = parseCsv(reportCsv(withLayer({ index: 0, path, blockInfluence: mean })));
          expect(rows).toHaveLength(2);
          const text = rows[1]![1]!;
          expect(/^[=+\-@\t\r]/.test(path) ? text.slice(1) : text).toBe(path);
          expect(Number(rows[1]![rows[0]!.indexOf("blockInfluence")])).toBe(mean + 0);
        },
      ),
    );
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])(
    "never lets a spreadsheet run %j",
    (path) => {
      const text = parseCsv(reportCsv(withLayer({ index: 0, path })))[1]![1]!;
      expect(text).toBe(`'${path}`);
    },
  );

  it("leaves negative figures numbers", () => {
    const layer: LayerReport = { index: 0, path: "model.layers.0", blockInfluence: -0.25 };
    expect(reportCsv(withLayer(layer))).toContain(",-0.25,");
  });
});

function withLayer(layer: LayerReport): Report {
  return { ...sampleReport({ layers: 1 }), layers: [layer] };
}

/** Every scalar of a layer's report with its dotted path. */
function leaves(value: object, prefix = ""): [string, number | string][] {
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === "object" && inner !== null
      ? leaves(inner, `${prefix}${key}.`)
      : [[prefix + key, inner as number | string] satisfies [string, number | string]],
  );
}

/** An independent reading of RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let field = "";
    if (text[at] === '"') {
      at++;
      for (;;) {
        const quote = text.indexOf('"', at);
        field += text.slice(at, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
    } else {
      const end = /[,\r]/g;
      end.lastIndex = at;
      const stop = end.exec(text)!.index;
      field = text.slice(at, stop);
      at = stop;
    }
    row.push(field);
    if (text[at] === ",") at++;
    else {
      expect(text.slice(at, at + 2)).toBe("\r\n");
      at += 2;
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
