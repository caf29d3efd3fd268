import { cpSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fingerprintOf, usualSampling } from "../../../src/checkpoint/fingerprint";
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

describe("the fingerprint of a checkpoint too large to be read whole", () => {
  const mebibyte = 2 ** 20;
  /** Four mebibytes of weights, and a norm in the second of them. */
  const layout: [string, number][] = [
    ["a.weight", 1.5 * mebibyte],
    ["b.norm", 256],
    ["c.weight", 2.5 * mebibyte],
  ];
  // One block of the file is read, its first.
  const sampling = { ...usualSampling, blocksPerFile: 1, wholeTensor: 1024, tensorEdge: 64 };

  function write(change?: [tensor: string, at: number]): string {
    const folder = scratch();
    const header: Record<string, object> = {};
    let end = 0;
    let changed = -1;
    for (const [name, bytes] of layout) {
      if (change?.[0] === name) changed = end + change[1];
      header[name] = { dtype: "F32", shape: [bytes / 4], data_offsets: [end, (end += bytes)] };
    }
    const data = Buffer.alloc(end);
    if (changed >= 0) data[changed] = 1;
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(join(folder, "model.safetensors"), Buffer.concat([length, json, data]));
    return folder;
  }
  const sampled = async (path: string, how = sampling) =>
    fingerprintOf(await openCheckpoint(path), undefined, how);

  it.each([
    ["a norm alone", "b.norm", 100],
    ["the beginning of a large tensor", "c.weight", 10],
    ["the end of one", "c.weight", 2.5 * mebibyte - 1],
  ])("changes with %s", async (_, tensor, at) => {
    expect(await sampled(write([tensor, at]))).not.toBe(await sampled(write()));
    // Without the reading of single tensors it would not.
    const none = { ...sampling, allTensors: 0 };
    expect(await sampled(write([tensor, at]), none)).toBe(await sampled(write(), none));
  });

  it("reads the smallest tensors first where not all may be", async () => {
    const few = { ...sampling, allTensors: 256 };
    expect(await sampled(write(["b.norm", 0]), few)).not.toBe(await sampled(write(), few));
    expect(await sampled(write(["c.weight", 0]), few)).toBe(await sampled(write(), few));
  });

  it("is that of its copy", async () => {
    expect(await sampled(write())).toBe(await sampled(write()));
  });
});
