import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import {
  checkSize,
  parseReport,
  ReportFileError,
  reportLimits,
} from "../../../src/report/readReport";
import { sampleReport, withCrossAttention } from "./sampleReport";

describe("parseReport", () => {
  it.each([
    ["a whole report", sampleReport({ layers: 12 })],
    ["one of a decoder of two stacks", withCrossAttention(sampleReport({ layers: 2 }))],
    ["a partial one", sampleReport({ layers: 32, measured: 7, pruning: false })],
    ["one with an absent figure", sampleReport({ layers: 12, withoutJacobian: [3] })],
    ["one without layers", { ...sampleReport({ layers: 12, measured: 0 }), layers: [] }],
  ])("reads %s as it was written", (_, report) => {
    const text = JSON.stringify(report, null, 2);
    expect(JSON.stringify(parseReport(text), null, 2)).toBe(text);
  });

  it("keeps the fields of a later version that it does not know", () => {
    const report = { ...sampleReport({ layers: 2 }), tasks: [{ name: "boolq" }] };
    expect(parseReport(JSON.stringify(report))).toEqual(report);
  });

  it.each<[string, (report: Broken) => void, string]>([
    ["no runtime", (report) => delete report.runtime, "runtime: expected an object; found nothing"],
    [
      "a figure as text",
      (report) => (report.layers[1].outputVariance.mean = "0.41"),
      'layers[1].outputVariance.mean: expected a number; found "0.41"',
    ],
    [
      "a figure that is null",
      (report) => (report.baseline.nll = null),
      "baseline.nll: expected a number; found null",
    ],
    [
      "a negative variance",
      (report) => (report.layers[0].outputVariance.mean = -1),
      "layers[0].outputVariance.mean: expected a number of at least 0; found -1",
    ],
    [
      "half a layer",
      (report) => (report.layers[0].index = 0.5),
      "layers[0].index: expected a whole number; found 0.5",
    ],
    [
      "layers in disorder",
      (report) => report.layers.reverse(),
      "layers[0].index: expected 0, the layer's place in the list; found 2",
    ],
    [
      "more layers than the architecture has",
      (report) => (report.architecture.layers = 2),
      "layers[2].index: expected no more than the 2 layers of the architecture; found 2",
    ],
    [
      "more layers than anybody could draw",
      (report) => (report.architecture.layers = 1e9),
      "architecture.layers: expected at most 10000; found 1000000000",
    ],
    [
      "a document too few",
      (report) => report.documents.layers[2].deltaNll.pop(),
      "documents.layers[2].deltaNll: expected one number for each of 48 documents; found a list of 47",
    ],
    [
      "an unknown metric",
      (report) => report.evaluation.metrics.push("taste"),
      'evaluation.metrics[4]: expected one of variance, jacobian, pruning, sublayers; found "taste"',
    ],
    [
      "an unknown kind of finding",
      (report) => (report.findings[0].kind = "advice"),
      'findings[0].kind: expected chance, growth, identity, removal or notice; found "advice"',
    ],
    [
      "layers that are no list",
      (report) => (report.layers = { 0: {} }),
      "layers: expected a list; found an object",
    ],
    [
      "a fingerprint that is none",
      (report) => (report.checkpoint.fingerprint = "abc"),
      'checkpoint.fingerprint: expected 64 hexadecimal digits; found "abc"',
    ],
  ])("refuses %s and names the field", (_, breakIt, message) => {
    const report = JSON.parse(JSON.stringify(sampleReport({ layers: 3 }))) as Broken;
    breakIt(report);
    expect(failure(JSON.stringify(report)).message).toBe(`${message}.`);
  });

  it.each([
    ["", "notJson"],
    ["{", "notJson"],
    ["null", "notAReport"],
    ["[]", "notAReport"],
    ['{"model_type":"llama"}', "notAReport"],
    ['{"schemaVersion":1}', "notAReport"],
    ['{"schemaVersion":2,"checkpoint":{}}', "newerVersion"],
    ['{"schemaVersion":1,"checkpoint":1e999}', "field"],
  ])("tells what %j is instead", (text, problem) => {
    expect(failure(text).problem).toBe(problem);
  });

  it("shortens what it quotes, on one line", () => {
    const report = { ...sampleReport({ layers: 2 }), runtime: `<b>\n\u2028${"x".repeat(1000)}` };
    const { message } = failure(JSON.stringify(report));
    expect(message.length).toBeLessThan(200);
    expect(message).not.toMatch(/[\n\u2028]/);
  });

  it("refuses a text that is too large before it is parsed", () => {
    expect(() => {
      checkSize(reportLimits.bytes);
    }).not.toThrow();
    expect(() => {
      checkSize(reportLimits.bytes + 1);
    }).toThrow("It is 100000001 bytes long; the limit is 100000000.");
  });

  it("checks every field, and asks for those that report.schema.json asks for", () => {
    const schema = new URL("../../../media/report.schema.json", import.meta.url);
    const isValid = new Ajv2020().compile(JSON.parse(readFileSync(schema, "utf8")));
    const whole = JSON.stringify(sampleReport({ layers: 2 }));
    // Without its version it is not taken for a report at all.
    const fields = fieldsOf(JSON.parse(whole)).filter(([name]) => name !== "schemaVersion");
    expect(fields.length).toBeGreaterThan(80);
    for (const field of fields) {
      const wrong = JSON.parse(whole);
      parentOf(wrong, field)[field.at(-1)!] = { not: "this" };
      expect(failure(JSON.stringify(wrong)).field, field.join(".")).toBeDefined();
      const without = JSON.parse(whole);
      Reflect.deleteProperty(parentOf(without, field), field.at(-1)!);
      const text = JSON.stringify(without);
      if (isValid(JSON.parse(text))) expect(parseReport(text)).toEqual(JSON.parse(text));
      else expect(failure(text).message).toContain("found nothing");
    }
  });

  it("throws nothing but its own error, whatever it is given", () => {
    const report = JSON.stringify(sampleReport({ layers: 2 }));
    const spoilt = fc
      .tuple(fc.nat(report.length), fc.nat(20), fc.string())
      .map(([at, length, text]) => report.slice(0, at) + text + report.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.json(), fc.string()), (text) => {
        try {
          parseReport(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ReportFileError);
        }
      }),
    );
  });
});

/** The paths of all named fields that hold a figure, a text or a list; of a list, its first item's. */
function fieldsOf(value: unknown, path: string[] = []): string[][] {
  if (Array.isArray(value)) return [path, ...fieldsOf(value[0], [...path, "0"])];
  if (typeof value !== "object" || value === null) return path.at(-1) === "0" ? [] : [path];
  return Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, [...path, name]));
}

function parentOf(value: Broken, path: string[]): Record<string, unknown> {
  return path
    .slice(0, -1)
    .reduce<Record<string, unknown>>(
      (inner, name) => inner[name] as Record<string, unknown>,
      value,
    );
}

function failure(text: string): ReportFileError {
  try {
    parseReport(text);
  } catch (error) {
    if (error instanceof ReportFileError) return error;
    throw error;
  }
  throw new Error("It was taken for a report.");
}

/** A report on its way to be broken: its fields take anything. */
type Broken = Record<keyof Report, ReturnType<typeof JSON.parse>>;
