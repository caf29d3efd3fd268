/** `npm run fuzz`: mutated files for every reader, as many as are asked for. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "fuzz",
    include: ["test/fuzz/**/*.test.ts"],
    testTimeout: 24 * 3600_000,
    hookTimeout: 60_000,
  },
});
