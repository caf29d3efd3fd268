import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { incompleteness } from "../../../src/trainingRun/complete";
import { Settling, stampOf } from "../../../src/trainingRun/settling";
import { copyFixture } from "../support/checkpoints";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("a complete checkpoint", () => {
  it("lacks nothing, whole or in shards", async () => {
    expect(await incompleteness(copyFixture("llama", scratch()))).toBeUndefined();
    expect(await incompleteness(copyFixture("llama3-sharded", scratch()))).toBeUndefined();
  });

  it("is not one whose weights are cut off anywhere", async () => {
    const folder = copyFixture("llama", scratch());
    const file = join(folder, "model.safetensors");
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        writeFileSync(file, whole.subarray(0, length));
        expect(await incompleteness(folder)).toContain(file);
      }),
      { numRuns: 40 },
    );
    writeFileSync(file, whole);
    expect(await incompleteness(folder)).toBeUndefined();
  });

  it("is not one without its config, a shard or the end of a shard", async () => {
    const folder = copyFixture("llama3-sharded", scratch());
    rmSync(join(folder, "config.json"));
    expect(await incompleteness(folder)).toContain("has no config.json yet");
    const sharded = copyFixture("llama3-sharded", scratch());
    truncateSync(join(sharded, "model-00002-of-00003.safetensors"), 900);
    expect(await incompleteness(sharded)).toContain("model-00002-of-00003");
    rmSync(join(sharded, "model-00002-of-00003.safetensors"));
    expect(await incompleteness(sharded)).toContain("is missing");
  });
});

describe("a checkpoint of which a tensor is missing", () => {
  it("is not complete, though each of its files is; one of an unknown family is", async () => {
    const folder = copyFixture("llama", scratch());
    const config = join(folder, "config.json");
    const stated = JSON.parse(readFileSync(config, "utf8")) as Record<string, number>;
    const layers = stated["num_hidden_layers"]! + 1;
    writeFileSync(config, JSON.stringify({ ...stated, num_hidden_layers: layers }));
    expect(await incompleteness(folder)).toMatch(/tensor .* is missing/);
    writeFileSync(config, JSON.stringify({ model_type: "of another kind" }));
    expect(await incompleteness(folder)).toBeUndefined();
  });

  it("is not complete with one shard of three and no index", async () => {
    const folder = copyFixture("llama3-sharded", scratch());
    rmSync(join(folder, "model.safetensors.index.json"));
    rmSync(join(folder, "model-00002-of-00003.safetensors"));
    rmSync(join(folder, "model-00003-of-00003.safetensors"));
    expect(await incompleteness(folder)).toContain("one of 3 shards");
  });
});

describe("settling", () => {
  it("takes as long as it was told, from the last change on", () => {
    const settling = new Settling(10);
    expect(settling.observe("a", "1", 0)).toBe(false);
    expect(settling.observe("a", "1", 9)).toBe(false);
    expect(settling.observe("a", "2", 9)).toBe(false);
    expect(settling.observe("a", "2", 18)).toBe(false);
    expect(settling.observe("a", "2", 19)).toBe(true);
    expect(settling.observe("b", "2", 19)).toBe(false);
  });

  it("a stamp tells sizes, and of a weight file only its own", async () => {
    const folder = copyFixture("llama", scratch());
    const file = join(folder, "model.safetensors");
    const [ofFolder, ofFile] = [await stampOf(folder), await stampOf(file)];
    writeFileSync(join(folder, "model_2.safetensors"), "");
    expect(await stampOf(folder)).not.toBe(ofFolder);
    expect(await stampOf(file)).toBe(ofFile);
    truncateSync(file, 100);
    expect(await stampOf(file)).not.toBe(ofFile);
  });
});
