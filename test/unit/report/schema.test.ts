import { readFileSync } from "node:fs";
import Ajv from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { metrics, type Report } from "../../../src/diagnosis/report";
import { sampleReport, withCrossAttention } from "./sampleReport";

const schema = JSON.parse(
  readFileSync(new URL("../../../media/report.schema.json", import.meta.url), "utf8"),
);
const validate = new Ajv({ strict: true, allErrors: true }).compile(schema);

describe("report.schema.json", () => {
  it.each([
    ["a whole report", sampleReport({ layers: 12 })],
    ["one of a decoder of two stacks", withCrossAttention(sampleReport({ layers: 2 }))],
    ["a partial one", sampleReport({ layers: 32, measured: 7, pruning: false })],
    ["one with an absent figure", sampleReport({ layers: 12, withoutJacobian: [3] })],
    ["one with the readings that were tried", withReadings(sampleReport({ layers: 2 }))],
    ["one of images", ofImages(sampleReport({ layers: 2 }))],
    ["one without layers", { ...sampleReport({ layers: 12, measured: 0 }), layers: [] }],
  ])("accepts %s", (_, report) => {
    validate(throughJson(report));
    expect(validate.errors).toBeNull();
  });

  it("knows every metric", () => {
    expect(schema.$defs.metric.enum).toEqual(metrics);
  });

  it("describes every field of a whole layer, and requires none but the layer's name", () => {
    const [layer] = withCrossAttention(sampleReport({ layers: 2 })).layers;
    const described = Object.keys(schema.$defs.layer.properties);
    expect(described.toSorted()).toEqual([...Object.keys(layer!), "unmeasured"].toSorted());
    expect(schema.$defs.layer.required).toEqual(["index", "path"]);
  });

  it.each<[string, (report: Broken) => void]>([
    ["another schema version", (report) => (report.schemaVersion = 2)],
    ["no checkpoint", (report) => delete report.checkpoint],
    ["a field nobody knows", (report) => (report.layers[0].variance = 1)],
    ["a figure as text", (report) => (report.layers[0].outputVariance.mean = "0.41")],
    ["a figure that is null", (report) => (report.baseline.nll = null)],
    ["a negative variance", (report) => (report.layers[0].outputVariance.mean = -1)],
    ["an error without its figure", (report) => delete report.layers[0].jacobian.identityDistance],
    ["half a layer index", (report) => (report.layers[0].index = 0.5)],
    ["an unknown metric", (report) => report.evaluation.metrics.push("taste")],
    ["an unknown kind of finding", (report) => (report.findings[0].kind = "advice")],
    ["a reason for nothing", (report) => (report.layers[0].unmeasured = [{ reason: "why" }])],
  ])("rejects %s", (_, breakIt) => {
    const report = throughJson(sampleReport({ layers: 3 })) as Broken;
    expect(validate(report)).toBe(true);
    breakIt(report);
    expect(validate(report)).toBe(false);
  });
});

function withReadings(report: Report): Report {
  const further = [{ nll: 3.1, tokens: 512 }, { tokens: 8192 }];
  const candidates = [{ settings: { norm: "pre-ln" }, nll: 3.2, tokens: 2048, further }];
  return {
    ...report,
    architecture: { ...report.architecture, reading: { source: "inference", candidates } },
  };
}

function ofImages(report: Report): Report {
  return { ...report, evaluation: { ...report.evaluation, input: "images", objective: "class" } };
}

/** A report on its way to be broken: its fields take anything. */
type Broken = Record<keyof Report, ReturnType<typeof JSON.parse>>;

function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
