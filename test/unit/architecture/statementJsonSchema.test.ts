import { readFileSync } from "node:fs";
import Ajv from "ajv";
import { describe, expect, it } from "vitest";
import { settingNames } from "../../../src/architecture/reading";
import { roleNames } from "../../../src/architecture/statement/roles";
import { statementSchema } from "../../../src/architecture/statement/statement";
import { statementJsonSchemaText } from "../../../src/architecture/statement/statementJsonSchema";

const text = readFileSync(new URL("../../../media/fathom.schema.json", import.meta.url), "utf8");
const schema = JSON.parse(text);
const ajv = new Ajv({ allErrors: true });
ajv.addVocabulary(["enumDescriptions"]);
const validate = ajv.compile(schema);

describe("media/fathom.schema.json", () => {
  it("is what the reader checks fathom.json by (npm run schema)", () => {
    expect(text).toBe(statementJsonSchemaText());
  });

  it("describes every key, every setting and every role", () => {
    const { properties } = schema;
    for (const [name, property] of Object.entries<{ description?: string }>(properties)) {
      expect(property.description, name).toMatch(/\.$/);
    }
    for (const section of ["reading", "guess"]) {
      const settings = properties[section].properties;
      expect(Object.keys(settings).sort()).toEqual([...settingNames].sort());
      for (const name of settingNames) expect(settings[name].description, name).toMatch(/\.$/);
    }
    const roles = properties.roles.additionalProperties;
    expect(roles.enum).toEqual(roleNames);
    expect(roles.enumDescriptions).toHaveLength(roleNames.length);
  });

  it.each<[unknown, boolean]>([
    [{}, true],
    [{ reading: { norm: "lns", heads: 4, "embedding-scale": 1, "rotary-base": 500000 } }, true],
    [{ reading: { norm: "peri" } }, true],
    [{ guess: { epsilon: 1e-5 }, roles: { "a.{layer}.q": "query" }, ignoredConfigKeys: [] }, true],
    [{ reading: { norm: "sideways" } }, false],
    [{ reading: { heads: "4" } }, false],
    [{ reading: { heads: 0 } }, false],
    [{ reading: { hedas: 4 } }, false],
    [{ roles: { a: "unknown" } }, false],
    [{ role: {} }, false],
    [[], false],
  ])("and the reader say the same of %j", (statement, isValid) => {
    expect(validate(statement)).toBe(isValid);
    expect(statementSchema.safeParse(statement).success).toBe(isValid);
  });
});
