/**
 * The models of test/oracle/layerNormScaling/models, edited. The edited code beside them is what the
 * oracle executes; here it is compared with what the edit makes now.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyLayerNormScaling } from "../../../../src/python/layerNormScaling/applyLayerNormScaling";
import type { SourceFile } from "../../../../src/python/layerNormScaling/outcome";
import { parser } from "../support/parser";
import { edited } from "./support";

const oracle = join(import.meta.dirname, "../../../oracle/layerNormScaling");
const models = readdirSync(join(oracle, "models")).filter((name) => !name.startsWith("_"));

describe("Apply LayerNorm Scaling", () => {
  it.each(models)("edits %s", async (name) => {
    const files = read(join(oracle, "models"), name);
    const outcome = applyLayerNormScaling(files);
    if (outcome.kind === "refusal") expect.fail(`${outcome.reason}: ${outcome.message}`);
    const after = edited(files, outcome.edits);
    for (const [path, text] of after) {
      await expect(text).toMatchFileSnapshot(join(oracle, "edited", path));
    }
    const text = files.map(({ source }) => source.text).join("\n");
    const expected = /^WARNS = \[(.*)\]/m.exec(text)?.[1];
    const warnings = outcome.warnings.map(({ message }) => message).join("\n");
    if (expected === undefined) expect(warnings).toBe("");
    else expect(warnings).toMatch(new RegExp(JSON.parse(expected) as string));
    expect(outcome.summary).toMatchSnapshot();
  });

  it.each(models)("refuses to edit %s twice", (name) => {
    const files = read(join(oracle, "models"), name);
    const outcome = applyLayerNormScaling(files);
    if (outcome.kind === "refusal") expect.fail(outcome.message);
    const after = [...edited(files, outcome.edits)].map(([path, text]) => source(path, text));
    expect(applyLayerNormScaling(after)).toMatchObject({ kind: "refusal", reason: "already" });
  });

  it.each(readdirSync(join(oracle, "refused")))("refuses %s", (name) => {
    const files = read(join(oracle, "refused"), name);
    const outcome = applyLayerNormScaling(files);
    const reason = /^REASON = "(.*)"/m.exec(files[0]!.source.text)?.[1];
    expect(outcome).toMatchObject({ kind: "refusal", reason });
    expect(outcome).toMatchSnapshot();
  });
});

function source(path: string, text: string): SourceFile {
  return { path, source: parser.parse(text) };
}

/** A model's file, or the files of its package. */
function read(folder: string, name: string): SourceFile[] {
  const path = join(folder, name);
  const paths = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((file) => file.endsWith(".py"))
        .map((file) => `${name}/${file}`)
    : [name];
  return paths.map((one) => source(one, readFileSync(join(folder, one), "utf8")));
}
