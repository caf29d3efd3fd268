/** What is wrong with a run or with its logs is said in the editor's language. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useTexts } from "../../../src/report/texts";
import { discoverRun, stepsIn } from "../../../src/trainingRun/discover";
import { TrainingRunError } from "../../../src/trainingRun/errors";
import { readLossLogs } from "../../../src/trainingRun/lossLogs";
import { failureOf } from "../support/failures";
import { pseudo } from "../support/pseudoLocale";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

beforeAll(() => {
  useTexts(pseudo);
});

afterAll(() => {
  useTexts(undefined);
});

it("of a folder that is no run", async () => {
  const folder = scratch();
  const none = await failureOf(discoverRun(folder), TrainingRunError);
  expect(none).toMatch(/⟦: expected the checkpoints .* it holds no checkpoint/);
  mkdirSync(join(folder, "step-1"));
  for (const name of ["config.json", "model.safetensors"]) {
    writeFileSync(join(folder, "step-1", name), "");
  }
  const one = await failureOf(discoverRun(folder), TrainingRunError);
  expect(one).toMatch(/⟦: expected .* it holds only one, ⟧step-1\./);
  const missing = await failureOf(stepsIn(join(folder, "missing")), TrainingRunError);
  expect(missing).toMatch(/⟦: cannot be read: ⟧ENOENT/);
});

it.each([
  ["trainer_state.json", "{", "is not JSON"],
  ["trainer_state.json", "[]", "is not a JSON object"],
  ["log.csv", "step;loss\n1.000,5;2\n", "the step is"],
  ["log.csv", "step;loss\n1;2,5\n2;2.5\n", "numbers have both commas and points"],
  ["log.csv", "step;loss\n1;2,500,000\n", "a number is"],
  ["log.csv", "step,loss\n1,2,5\n", "a line has"],
  ["events.out.tfevents.1", "x".repeat(40), "does not match its checksum"],
])("of %s that holds %j", async (name, text, words) => {
  const folder = scratch();
  writeFileSync(join(folder, name), text);
  const { problems } = await readLossLogs({ folder, steps: [] });
  expect(problems).toEqual([expect.stringContaining(words)]);
  // Each word is inside the marks of what was looked up; between them stand paths and numbers.
  const bare = problems[0]!.replace(/⟦[^⟧]*⟧/gu, " ").replace(join(folder, name), "");
  const own = name.endsWith(".json") ? /\bExpected.*/ : /$^/;
  expect(bare.replace(own, "").match(/\p{L}+/gu)).toBeNull();
});
