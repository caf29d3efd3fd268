import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { discoverRun, stepCountsOf } from "../../../src/trainingRun/discover";
import { TrainingRunError } from "../../../src/trainingRun/errors";
import { stepOfName } from "../../../src/trainingRun/stepName";
import { failureOf } from "../support/failures";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("the step in a name", () => {
  it.each([
    ["checkpoint-1000", 1000],
    ["step_2000", 2000],
    ["step-250", 250],
    ["step2000", 2000],
    ["model_3000", 3000],
    ["model_3000.safetensors", 3000],
    ["global_step1000", 1000],
    ["iter_0001000", 1000],
    ["epoch_3", 3],
    ["epoch=3-step=1000", 1000],
    ["pythia-70m-step512", 512],
    ["step1000-unsharded", 1000],
    ["ckpt-5", 5],
    ["1000", 1000],
    ["0", 0],
  ])("%s: %i", (name, step) => {
    expect(stepOfName(name)).toBe(step);
  });

  it.each(["llama-7b", "model-7b", "model-00001-of-00003.safetensors", "best", "latest", "v2", ""])(
    "%s: none",
    (name) => {
      expect(stepOfName(name)).toBeUndefined();
    },
  );

  it("is what was written, whatever the number and the word", () => {
    const word = fc.constantFrom("checkpoint-", "step_", "global_step", "iter_", "model_", "ckpt-");
    fc.assert(
      fc.property(word, fc.nat(), (before, step) => {
        expect(stepOfName(`${before}${step}`)).toBe(step);
        expect(stepOfName(`${before}${String(step).padStart(12, "0")}`)).toBe(step);
      }),
    );
  });
});

function checkpoint(folder: string, name: string): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "config.json"), "{}");
  writeFileSync(join(folder, name, "model.safetensors"), "");
}

describe("discovering a run", () => {
  it("finds its checkpoints in the order of their steps", async () => {
    const folder = scratch();
    for (const name of ["step-2000", "step-250", "step-10000", "step-1000"]) {
      checkpoint(folder, name);
    }
    const run = await discoverRun(folder);
    expect(run.folder).toBe(folder);
    expect(run.steps.map(({ step }) => step)).toEqual([250, 1000, 2000, 10000]);
    expect(run.steps[0]).toEqual({ step: 250, name: "step-250", path: join(folder, "step-250") });
  });

  it("leaves out what is no checkpoint, and a second one of the same step", async () => {
    const folder = scratch();
    for (const name of ["step-1", "step-2", "step-2_ema", "notes"]) checkpoint(folder, name);
    mkdirSync(join(folder, "step-3"));
    writeFileSync(join(folder, "step-3", "config.json"), "{}");
    writeFileSync(join(folder, "step-4"), "");
    const { steps } = await discoverRun(folder);
    expect(steps.map(({ name }) => name)).toEqual(["step-1", "step-2"]);
  });

  it("finds weight files beside one config, and only there", async () => {
    const folder = scratch();
    for (const name of ["model_3000.safetensors", "model_200.safetensors"]) {
      writeFileSync(join(folder, name), "");
    }
    expect(await failureOf(discoverRun(folder), TrainingRunError)).toContain("holds no checkpoint");
    writeFileSync(join(folder, "config.json"), "{}");
    expect((await discoverRun(folder)).steps.map(({ step }) => step)).toEqual([200, 3000]);
  });

  it("finds PyTorch files without a config, and nothing half-written or beside the weights", async () => {
    const folder = scratch();
    const steps = ["ckpt_2000.pt", "model_3000.pt"];
    const others = [
      "tmp-checkpoint-1",
      "step-4.partial",
      "optimizer_step_5.pt",
      "step_6.safetensors",
    ];
    for (const name of [...steps, ...others]) writeFileSync(join(folder, name), "");
    checkpoint(folder, "tmp-checkpoint-7");
    expect((await discoverRun(folder)).steps.map(({ name }) => name)).toEqual(steps);
  });

  it("follows links to folders", async () => {
    const [folder, elsewhere] = [scratch(), scratch()];
    checkpoint(elsewhere, "a");
    for (const name of ["step-1", "step-2"]) symlinkSync(join(elsewhere, "a"), join(folder, name));
    expect((await discoverRun(folder)).steps).toHaveLength(2);
  });

  it("takes a folder as a run before its first step, and with one, where that is enough", async () => {
    const folder = scratch();
    expect(await discoverRun(folder, 0)).toEqual({ folder, steps: [] });
    checkpoint(folder, "step-1");
    expect((await discoverRun(folder, 0)).steps.map(({ step }) => step)).toEqual([1]);
    expect(await failureOf(discoverRun(join(folder, "none"), 0), TrainingRunError)).toContain(
      "ENOENT",
    );
  });

  it("refuses fewer than two, and names what it found", async () => {
    const folder = scratch();
    checkpoint(folder, "step-1");
    const message = await failureOf(discoverRun(folder), TrainingRunError);
    expect(message).toContain(folder);
    expect(message).toContain("only one, step-1");
    expect(await failureOf(discoverRun(join(folder, "none")), TrainingRunError)).toContain(
      "ENOENT",
    );
  });
});

describe("run folders among checkpoint folders", () => {
  it("are those that hold a step, and each step counts once", () => {
    const folders = [
      ...["/r/a/step-1", "/r/a/step-2", "/r/a/step-2_ema"],
      ...["/r/b/step-1", "/r/c/llama", "/r/c/qwen"],
    ];
    expect([...stepCountsOf(folders)]).toEqual([
      ["/r/a", 2],
      ["/r/b", 1],
    ]);
  });
});
