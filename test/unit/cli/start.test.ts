import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lastStep } from "../../../scripts/shared/sample.mjs";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("the checkpoint that npm start -- --headless measures", () => {
  const runOf = (...names: string[]): string => {
    const run = join(scratch(), "pre-ln");
    for (const name of names) mkdirSync(join(run, name), { recursive: true });
    return run;
  };

  it("is the last step, and is said to be one of several", () => {
    const run = runOf("step-1000", "step-250", "step-2600", "step-last");
    expect(lastStep(run)).toEqual({
      checkpoint: join(run, "step-2600"),
      line: "Measuring pre-ln/step-2600, the last of 3 checkpoints of that run (earlier steps: 250, 1000).",
    });
  });

  it("is the only one where there is one, and none is an error", () => {
    expect(lastStep(runOf("step-5")).line).toBe(
      "Measuring pre-ln/step-5, the only checkpoint of that run.",
    );
    expect(() => lastStep(runOf("logs"))).toThrow("holds no checkpoint");
  });
});
