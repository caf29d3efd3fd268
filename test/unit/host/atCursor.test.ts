import { describe, expect, it } from "vitest";
import type { NormSummary } from "../../../src/diagnosis/report";
import { atCursor } from "../../../src/host/python/atCursor";
import { sampleReport } from "../report/sampleReport";

const report = sampleReport({ layers: 12 });
const plain = { text: "        self.norm = LlamaRMSNorm(size)", column: 9 };
const [inputNorm] = report.architecture.norms!;

describe("atCursor", () => {
  it("is the layer that the line names, also where the line makes a norm", () => {
    const line = { text: "model.layers[7].input_layernorm = RMSNorm(8)", column: 15 };
    expect(atCursor(line, report)).toEqual({ layer: 7 });
    expect(atCursor(line, report, { norm: inputNorm!, report })).toEqual({ layer: 7 });
  });

  it("is the norm that all layers share", () => {
    expect(atCursor(plain, report, { norm: inputNorm!, report })).toEqual({ norm: inputNorm });
  });

  it("is the layer of a norm that one layer has alone", () => {
    const own = { path: "model.layers.3.norm", feeds: "attention" } as const;
    const architecture = { ...report.architecture, norms: [own] };
    const shown = { ...report, architecture };
    expect(atCursor(plain, shown, { norm: own, report: shown })).toEqual({ norm: own, layer: 3 });
  });

  it("is no layer where all have the norm, in one place or another", () => {
    const path = "model.layers.*.input_layernorm";
    const roles: NormSummary[] = [
      { path, feeds: "attention", place: "sum", layers: [0] },
      { path, feeds: "attention", place: "before", layers: [1, 2, 3] },
    ];
    const shown = { ...report, architecture: { ...report.architecture, norms: roles } };
    expect(atCursor(plain, shown, { norm: roles[0]!, report: shown })).toEqual({ norm: roles[0] });
    const twice = roles.map((role) => ({ ...role, layers: [2] }));
    const alone = { ...report, architecture: { ...report.architecture, norms: twice } };
    expect(atCursor(plain, alone, { norm: twice[0]!, report: alone })).toEqual({
      norm: twice[0],
      layer: 2,
    });
  });

  it("is nothing elsewhere, and nothing of another model's norms", () => {
    expect(atCursor(plain, report)).toEqual({});
    const foreign = { ...report, architecture: { ...report.architecture, family: "gpt2" } };
    expect(atCursor(plain, report, { norm: inputNorm!, report: foreign })).toEqual({});
    const unknown = { path: "model.other", feeds: "head" } as const;
    expect(atCursor(plain, report, { norm: unknown, report })).toEqual({});
  });
});
