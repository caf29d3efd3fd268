/** What a person is told of training code comes out of the bundle; the code itself is left as it is. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyLayerNormScaling } from "../../../../src/python/layerNormScaling/applyLayerNormScaling";
import type { ScalingOutcome } from "../../../../src/python/layerNormScaling/outcome";
import { useTexts } from "../../../../src/report/texts";
import { pseudo } from "../../support/pseudoLocale";
import { oracleFolder, readModel } from "./support";

beforeAll(() => {
  useTexts(pseudo);
});

afterAll(() => {
  useTexts(undefined);
});

interface Outcome {
  readonly outcome: ScalingOutcome;
  /** All code that it is about. */
  readonly code: string;
}

function outcomeOf(kind: "models" | "refused", name: string): Outcome {
  const files = readModel(kind, name);
  const code = files.map(({ source }) => source.text).join("\n");
  return { outcome: applyLayerNormScaling(files), code };
}

/** The words of a message that are neither out of the bundle nor in the code. */
function bareWords(message: string, code: string): string[] {
  const words = message.replace(/⟦[^⟧]*⟧/gu, " ").match(/\p{L}+/gu) ?? [];
  return words.filter((word) => !code.includes(word));
}

/** What is to be written, rather than read. */
const codeLine =
  /^\s*(self\.\w+ = |nn\.ModuleList\(|class |def |super\(\)|x = |return )| \* self\.ln_scale$/;

function expectRecipeMarked({ outcome: { recipe }, code }: Outcome): void {
  const prose = recipe.split("\n").filter((line) => line !== "" && !codeLine.test(line));
  expect(prose.length).toBeGreaterThan(4);
  for (const line of prose) {
    expect(line).toContain("⟦");
    // The name of a layer that was not found.
    expect(bareWords(line, `${code} Block`)).toEqual([]);
  }
}

describe("in another language", () => {
  it.each(readdirSync(path.join(oracleFolder, "refused")))("%s is refused", (name) => {
    const found = outcomeOf("refused", name);
    const { outcome, code } = found;
    if (outcome.kind !== "refusal") expect.fail("it was edited.");
    expect(outcome.message).toContain("⟦");
    expect(bareWords(outcome.message, code)).toEqual([]);
    expectRecipeMarked(found);
  });

  const models = readdirSync(path.join(oracleFolder, "models"));
  it("models are warned of, and their edits stay", () => {
    const warned = models
      .filter((name) => !name.startsWith("_"))
      .map((name) => outcomeOf("models", name))
      .flatMap((found) => {
        const { outcome, code } = found;
        if (outcome.kind !== "edits") expect.fail("it was refused.");
        expectRecipeMarked(found);
        expect(outcome.edits.map(({ newText }) => newText).join("")).not.toContain("⟦");
        return outcome.warnings.map(({ message }) => ({ message, code }));
      });
    expect(warned.length).toBeGreaterThan(2);
    for (const { message, code } of warned) {
      expect(message).toContain("⟦");
      expect(bareWords(message, code)).toEqual([]);
    }
  });
});

it("no refusal or warning is worded past the bundle", () => {
  const folder = path.join(import.meta.dirname, "../../../../src/python");
  const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(path.join(folder, file), "utf8"));
  const worded = sources.flatMap(
    (text) => text.match(/new Refusal\(\s*"[\w-]+",\s*["'`].*|\bmessage:\s*["'`].*/g) ?? [],
  );
  expect(worded).toEqual([]);
});
