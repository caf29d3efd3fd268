import { describe, expect, test } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { packReport, unpackReport } from "../../../src/report/packedReport";
import { withoutDocuments } from "../../../src/report/withoutDocuments";
import { sampleReport } from "./sampleReport";

const report: Report = {
  ...sampleReport({ layers: 2 }),
  documents: {
    tokens: [256, 12],
    predictions: [255, 11],
    layers: [
      { outputVariance: [0.1, 1e-300], deltaNll: [-0, 5e-324] },
      { squaredIdentityDistance: [] },
    ],
    // Not in its usual place.
    nll: [3.25, 0.1],
  },
};

describe("a packed report", () => {
  test("is unpacked to what it was, to the last bit", () => {
    expect(unpackReport(structuredClone(packReport(report)))).toEqual(report);
    const bare = withoutDocuments(report);
    expect(unpackReport(packReport(bare))).toEqual(bare);
    expect(JSON.stringify(unpackReport(packReport(report)))).toBe(JSON.stringify(report));
  });

  test("has its figures of documents in one buffer", () => {
    const { documents } = packReport(report);
    const { tokens, layers } = documents!;
    expect(tokens).toEqual(new Float64Array([256, 12]));
    expect(layers[0]!.deltaNll!.buffer).toBe(tokens.buffer);
    expect(tokens.buffer.byteLength).toBe(10 * 8);
  });

  test("leaves the report as it is, and a report that never was packed is unpacked to itself", () => {
    const before = structuredClone(report);
    packReport(report);
    expect(report).toEqual(before);
    expect(unpackReport(report)).toEqual(report);
  });
});
