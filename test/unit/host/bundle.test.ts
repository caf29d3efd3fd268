/** What the extension's bundle may not hold, for the editor waits while it is read. */
import { readFileSync, statSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { ensureBuilt, extensionPath } from "../support/cli";

beforeAll(ensureBuilt);

test("validators and parsers are left to the threads and processes that use them", () => {
  const bundle = readFileSync(extensionPath, "utf8");
  for (const mark of ["ZodError", "tfevents", "InferenceSession"]) {
    expect(bundle).not.toContain(mark);
  }
  expect(statSync(extensionPath).size).toBeLessThan(150_000);
});

test("the editor's API is used as it is, not copied by each file that imports it", () => {
  const bundle = readFileSync(extensionPath, "utf8");
  expect(bundle).toMatch(/[=,]require\("vscode"\)/);
  // esbuild would wrap it: `toESM(require("vscode"))`.
  expect(bundle).not.toMatch(/\(require\("vscode"\)/);
});
