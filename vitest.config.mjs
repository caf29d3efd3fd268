/** The fast tests: no editor, no browser. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "unit",
    include: ["test/unit/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Tests wait for browsers and processes: a machine of two cores is half idle with one worker.
    maxWorkers: "100%",
  },
});
