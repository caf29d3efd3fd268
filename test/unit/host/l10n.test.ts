import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { bundleFile, bundleText, messagesOf } from "../../../scripts/shared/l10n.mjs";

const root = path.join(import.meta.dirname, "../../..");

describe("the bundle of strings", () => {
  test("is what the sources say; else `npm run l10n` makes it anew", () => {
    expect(readFileSync(path.join(root, bundleFile), "utf8")).toBe(bundleText());
  });

  test("lies where package.json says", () => {
    const { l10n } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
    expect(path.normalize(l10n)).toBe(path.dirname(bundleFile));
  });
});

describe("messagesOf", () => {
  test("takes up literals with a value for each hole", () => {
    const source = 'vscode.l10n.t("{1} of {0}", a, f(vscode.l10n.t("x"))); other.t("y");';
    expect(messagesOf("a.ts", source)).toEqual([{ message: "{1} of {0}" }, { message: "x" }]);
  });

  test.each([
    ["vscode.l10n.t(`Depth of ${name}`)", "a literal"],
    ["vscode.l10n.t(text)", "a literal"],
    ['vscode.l10n.t("Depth of {0}")', "holes"],
    ['vscode.l10n.t("Depth", name)', "holes"],
    ['vscode.l10n.t("Depth of {1}", name)', "holes"],
  ])("refuses %s", (source, problem) => {
    const [{ problem: told } = {}, ...others] = messagesOf("a.ts", `\n${source};`);
    expect(told).toMatch(/^a\.ts:2: /);
    expect(told).toContain(problem);
    expect(others).toEqual([]);
  });
});
