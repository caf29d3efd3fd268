import { describe, expect, test } from "vitest";
import { schemeNames } from "../../../src/architecture/schemes";
import { keyOf, manifestText, texts } from "./manifest";

/** The fields of `contributes` that a person reads. */
const textFields = [
  "title",
  "category",
  "name",
  "displayName",
  "description",
  "markdownDescription",
  "contents",
  "userDescription",
  "altText",
];

describe("package.json and package.nls.json", () => {
  test("every key has a text, and every text is used", () => {
    const used = new Set(strings(JSON.parse(manifestText)).flatMap((text) => keyOf(text) ?? []));
    expect([...used].sort()).toEqual(Object.keys(texts).sort());
  });

  test("the setting for the norm scheme offers every scheme", () => {
    const { configuration } = JSON.parse(manifestText).contributes;
    const setting = /"fathom\.scheme":(\{.*?\})/.exec(JSON.stringify(configuration))![1]!;
    const { enum: offered, enumDescriptions } = JSON.parse(setting);
    expect(offered).toEqual(["auto", ...schemeNames]);
    expect(enumDescriptions).toHaveLength(offered.length);
  });

  test("no text is empty", () => {
    for (const [key, text] of Object.entries(texts)) expect(text, key).toMatch(/\S/);
  });

  test("what a person reads is a key", () => {
    const unkeyed: string[] = [];
    JSON.parse(manifestText, (field, value: unknown) => {
      const read = field === "enumDescriptions" ? value : textFields.includes(field) ? [value] : [];
      unkeyed.push(...strings(read).filter((text) => keyOf(text) === undefined));
      return value;
    });
    const { name, displayName, contributes } = JSON.parse(manifestText);
    const [tool] = contributes.languageModelTools;
    expect(unkeyed.sort()).toEqual(
      [
        // The extension's own name is one.
        ...[name, displayName],
        // A name in code, and words for a language model.
        ...[tool.name, tool.inputSchema.properties.path.description],
      ].sort(),
    );
  });
});

function strings(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(strings);
}
