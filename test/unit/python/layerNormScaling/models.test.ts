/**
 * The models of test/oracle/layerNormScaling/models, edited. The edited code beside them is what the
 * oracle executes; here it is compared with what the edit makes now.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyLayerNormScaling } from "../../../../src/python/layerNormScaling/applyLayerNormScaling";
import { edited, oracleFolder, parsed, readModel } from "./support";

const models = readdirSync(join(oracleFolder, "models")).filter((name) => !name.startsWith("_"));

describe("Apply LayerNorm Scaling", () => {
  it.each(models)("edits %s", async (name) => {
    const files = readModel("models", name);
    const outcome = applyLayerNormScaling(files);
    if (outcome.kind === "refusal") expect.fail(`${outcome.reason}: ${outcome.message}`);
    const after = edited(files, outcome.edits);
    for (const [path, text] of after) {
      await expect(text).toMatchFileSnapshot(join(oracleFolder, "edited", path));
    }
    const text = files.map(({ source }) => source.text).join("\n");
    const expected = /^WARNS = \[(.*)\]/m.exec(text)?.[1];
    const warnings = outcome.warnings.map(({ message }) => message).join("\n");
    if (expected === undefined) expect(warnings).toBe("");
    else expect(warnings).toMatch(new RegExp(JSON.parse(expected) as string));
    expect(outcome.summary).toMatchSnapshot();
  });

  it.each(models)("refuses to edit %s twice", (name) => {
    const files = readModel("models", name);
    const outcome = applyLayerNormScaling(files);
    if (outcome.kind === "refusal") expect.fail(outcome.message);
    const after = [...edited(files, outcome.edits)].map(([path, text]) => parsed(path, text));
    expect(applyLayerNormScaling(after)).toMatchObject({ kind: "refusal", reason: "already" });
  });

  it.each(readdirSync(join(oracleFolder, "refused")))("refuses %s", (name) => {
    const files = readModel("refused", name);
    const outcome = applyLayerNormScaling(files);
    const reason = /^REASON = "(.*)"/m.exec(files[0]!.source.text)?.[1];
    expect(outcome).toMatchObject({ kind: "refusal", reason });
    expect(outcome).toMatchSnapshot();
  });
});
