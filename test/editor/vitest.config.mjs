/** The tests in a real VS Code, one after the other: each has the window to itself. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "editor",
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    globalSetup: ["support/globalSetup.ts"],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
