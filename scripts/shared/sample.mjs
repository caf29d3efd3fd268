/** Which checkpoint of a training run a person is shown first. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { Stop } from "./process.mjs";

/**
 * The last step of a run, and a line that says which that is of how many.
 *
 * @param folder the run's, of folders `step-<number>`
 * @returns {{ checkpoint: string, line: string }}
 */
export function lastStep(folder) {
  const steps = readdirSync(folder)
    .filter((name) => /^step-\d+$/.test(name))
    .sort((a, b) => stepOf(a) - stepOf(b));
  const last = steps.at(-1);
  if (last === undefined) throw new Stop(`${folder} holds no checkpoint.`);
  const earlier = steps.slice(0, -1).map(stepOf).join(", ");
  const run = path.basename(folder);
  return {
    checkpoint: path.join(folder, last),
    line:
      earlier === ""
        ? `Measuring ${run}/${last}, the only checkpoint of that run.`
        : `Measuring ${run}/${last}, the last of ${steps.length} checkpoints of that run (earlier steps: ${earlier}).`,
  };
}

function stepOf(name) {
  return Number(name.replace("step-", ""));
}
