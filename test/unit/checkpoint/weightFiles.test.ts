import { describe, expect, it, test } from "vitest";
import {
  holdsCheckpoint,
  indexEndings,
  isCheckpointName,
  isIndexName,
  isOtherStateName,
  isTemporaryName,
  isWeightName,
  shardsOfName,
  standsForFolder,
  weightExtensions,
} from "../../../src/checkpoint/weightFiles";
import { checkpointAt } from "../../../src/host/checkpoint";
import { stepOfName } from "../../../src/trainingRun/stepName";
import { manifest } from "../host/manifest";

describe("names of weight files", () => {
  it.each([
    "model.safetensors",
    "ckpt.pt",
    "a.pth",
    "b.ckpt",
    "pytorch_model.bin",
    "stories15M.bin",
  ])("%s is one", (name) => {
    expect(isWeightName(name)).toBe(true);
    expect(isCheckpointName(name)).toBe(true);
  });

  it.each(["train.bin", "tokenizer.bin", "optimizer.pt", "rng_state_0.pth", ".model.safetensors"])(
    "%s may be pointed at, but no search takes it",
    (name) => {
      expect(isWeightName(name)).toBe(false);
      expect(isCheckpointName(name)).toBe(true);
    },
  );

  it.each([
    ["tokyo-run.pt", "tok512.bin"],
    ["scheduler_free.safetensors", "scheduler.pt"],
    ["optimal.pt", "optimizer-1.pt"],
    ["optimistic_000100.pt", "optim_000100_rank0.pt"],
    ["optimizer_free_3.pth", "optimizer_3.pth"],
    ["scaler_net.ckpt", "scaler.pt"],
    ["random_statesman.safetensors", "random_states_0.safetensors"],
  ])("%s may be a model, and %s is none", (model, other) => {
    expect([model, other].map(isOtherStateName)).toEqual([false, true]);
    expect([model, other].map(isWeightName)).toEqual([true, false]);
  });

  it.each(["config.json", "model.safetensors.tmp", "weights.txt", "index.json"])(
    "%s is none",
    (name) => {
      expect(isWeightName(name)).toBe(false);
      expect(isCheckpointName(name)).toBe(false);
    },
  );

  it("tells indexes, shards and what stands for its folder", () => {
    expect(isIndexName("pytorch_model.bin.index.json")).toBe(true);
    expect(isIndexName("config.json")).toBe(false);
    expect(shardsOfName("model-00001-of-00003.safetensors")).toBe(3);
    expect(shardsOfName("model.safetensors")).toBe(1);
    const folders = ["consolidated.00.pth", "pytorch_model-00001-of-00002.bin", ".metadata"];
    for (const name of folders) {
      expect(standsForFolder(name), name).toBe(true);
      expect(checkpointAt(`/runs/a/${name}`).key).toBe("/runs/a");
    }
    expect(standsForFolder("ckpt_2000.pt")).toBe(false);
  });

  it("finds folders that hold a checkpoint", () => {
    expect(holdsCheckpoint(["config.json", "model.safetensors"])).toBe(true);
    expect(holdsCheckpoint(["config.json", ".metadata", "__0_0.distcp"])).toBe(true);
    expect(holdsCheckpoint(["ckpt.pt", "notes.txt"])).toBe(true);
    expect(holdsCheckpoint(["model.safetensors"])).toBe(false);
    expect(holdsCheckpoint(["a.pt", "b.pt"])).toBe(false);
    expect(holdsCheckpoint(["config.json", "train.bin"])).toBe(false);
  });

  it("takes nothing half-written for a step", () => {
    expect(stepOfName("model_3000.pt")).toBe(3000);
    expect(stepOfName("ckpt_2000.pt")).toBe(2000);
    for (const name of [
      ".step-1",
      "tmp-checkpoint-1",
      "step-1.tmp",
      "a_1.partial",
      "x.incomplete",
    ]) {
      expect(isTemporaryName(name), name).toBe(true);
      expect(stepOfName(name), name).toBeUndefined();
    }
  });
});

test("the menus of package.json offer these files", () => {
  const conditions = Object.values(manifest.contributes.menus)
    .flat()
    .map((item) => (item as { when: string }).when)
    .filter((when) => when.includes("resourceExtname"));
  expect(conditions).toHaveLength(5);
  for (const condition of conditions) {
    expect(condition).toContain(`resourceExtname =~ /^\\.(${weightExtensions.join("|")})$/i`);
    const index = /resourceFilename =~ \/(\S*index\S*)\/(?: |$)/.exec(condition)![1]!;
    for (const ending of indexEndings) expect(`model.${ending}`).toMatch(new RegExp(index));
    expect("model.index.json").not.toMatch(new RegExp(index));
  }
});
