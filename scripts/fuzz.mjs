/**
 * `npm run fuzz -- --runs 1000000 [--format GGUF] [--seed 1]`: gives every reader, or one, so many
 * mutated files and checks that each ends in a directory or in an error of ours.
 */
import { parseArgs } from "node:util";
import { run, runMain } from "./shared/process.mjs";

await runMain(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string", default: "100000" },
      format: { type: "string", default: "" },
      seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    },
  });
  console.log(`seed ${values.seed}`);
  return run("npx", ["vitest", "run", "-c", "test/fuzz/vitest.config.mjs"], {
    env: {
      ...process.env,
      FUZZ_RUNS: values.runs,
      FUZZ_FORMAT: values.format,
      FUZZ_SEED: values.seed,
    },
  });
});
