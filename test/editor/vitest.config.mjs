/** The tests in a real VS Code: each has the window, and each worker an editor, to itself. */
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "editor",
    root: import.meta.dirname,
    include: ["**/*.test.ts"],
    globalSetup: ["support/globalSetup.ts"],
    setupFiles: ["support/setup.ts"],
    // In the order they are declared: the picture is taken before the window is closed.
    sequence: { hooks: "list" },
    // An editor waits at times: two on two cores take two thirds of the time of one. The more cores,
    // the fewer of its processes have to share one.
    maxWorkers: Math.min(4, Math.max(2, Math.floor(availableParallelism() / 2))),
    tags: [
      {
        name: "thorough",
        description: "What few changes can break, or pictures for people: npm test -- --thorough",
      },
    ],
    // On a shared machine the editor itself sometimes answers too late; what is wrong fails every time.
    retry: process.env.CI ? 2 : 0,
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
