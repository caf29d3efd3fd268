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

  const imported = 'import { t } from "@vscode/l10n";\n';

  test("takes up what is handed to the package, and nothing else that is called t", () => {
    const call = 'const text = () => t("Depth");';
    expect(messagesOf("a.ts", `${imported}${call}`)).toEqual([{ message: "Depth" }]);
    expect(messagesOf("a.ts", call)).toEqual([]);
  });

  test.each(["class A { text = t(`Depth`); }", "const of = { depth: () => t(`Depth`) };"])(
    "takes up %s, for which the language is told in time",
    (source) => {
      expect(messagesOf("a.ts", `${imported}${source}`)).toEqual([{ message: "Depth" }]);
    },
  );

  test.each(["const text = t(`Depth`);", "class A { static text = t(`Depth`); }"])(
    "refuses %s, which is looked up before the language is told",
    (source) => {
      const [{ problem } = {}] = messagesOf("a.ts", `${imported}${source}`);
      expect(problem).toMatch(/^a\.ts:2: .* while the module loads/);
    },
  );

  test("takes a spread list for as many values as there are holes", () => {
    const [one] = messagesOf("a.ts", 'vscode.l10n.t("{0} of {1}, {2}", ...some, x);');
    expect(one).toEqual({ message: "{0} of {1}, {2}" });
    const [other] = messagesOf("a.ts", 'vscode.l10n.t("{0}", ...some, x);');
    expect(other?.problem).toContain("holes");
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
