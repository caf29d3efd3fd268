import { cpSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fingerprintOf } from "../../../src/checkpoint/fingerprint";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { copyFixture, fixture } from "../support/checkpoints";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const fingerprintAt = async (path: string) => fingerprintOf(await openCheckpoint(path));

describe("the fingerprint of a checkpoint", () => {
  it("is that of its content, wherever and whenever it was written", async () => {
    const copy = copyFixture("llama3-sharded", scratch());
    const shard = join(copy, "model-00001-of-00003.safetensors");
    utimesSync(shard, new Date(0), new Date(0));
    expect(await fingerprintAt(copy)).toBe(await fingerprintAt(fixture("llama3-sharded")));
    expect(await fingerprintAt(shard)).toBe(await fingerprintAt(copy));
  });

  it("is the same through the links of a cache, whatever the names they lead to", async () => {
    const blobs = scratch();
    const snapshot = scratch();
    const names = readdirSync(fixture("llama3-sharded")).filter((name) => name.startsWith("model"));
    for (const [index, name] of names.entries()) {
      // The last shard's blob comes first in the alphabet.
      const blob = join(blobs, `${9 - index}`);
      cpSync(join(fixture("llama3-sharded"), name), blob);
      symlinkSync(blob, join(snapshot, name));
    }
    cpSync(join(fixture("llama3-sharded"), "config.json"), join(snapshot, "config.json"));
    expect(await fingerprintAt(snapshot)).toBe(await fingerprintAt(fixture("llama3-sharded")));
  });

  it.each([
    ["a weight", "model.safetensors", (bytes: Buffer) => (bytes[bytes.length - 5]! ^= 1)],
    ["the config", "config.json", (bytes: Buffer) => bytes.write(" ", bytes.length - 1)],
  ])("changes with %s", async (_, name, change) => {
    const copy = copyFixture("llama", scratch());
    const bytes = readFileSync(join(copy, name));
    change(bytes);
    writeFileSync(join(copy, name), bytes);
    expect(await fingerprintAt(copy)).not.toBe(await fingerprintAt(fixture("llama")));
  });
});
