/** The WebGPU provider on Chromium's software GPU: slow, so apart from the unit tests. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "webgpu",
    include: ["test/webgpu/**/*.test.ts"],
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // The runs would take the processor from each other.
    fileParallelism: false,
  },
});
