import { existsSync, readFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { directReader } from "../../../../src/host/reading/directReader";
import { FingerprintMemory } from "../../../../src/host/reading/fingerprintMemory";
import { copyFixture, editConfig } from "../../support/checkpoints";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const hash = (letter: string): string => letter.repeat(64);

let folder: string;
let kept: string;
let weights: string;
beforeEach(() => {
  folder = scratch();
  // Of a storage that nothing has been stored in yet.
  kept = path.join(folder, "storage", "fingerprints.json");
  weights = path.join(folder, "model.safetensors");
  writeFileSync(weights, "weights");
  // What has just been written is not remembered, and the inode's time cannot be set.
  later(60_000);
});
afterEach(() => {
  vi.useRealTimers();
});

function later(milliseconds: number): void {
  vi.useFakeTimers({ now: Date.now() + milliseconds, toFake: ["Date"] });
}

/** Each time a memory of its own, as after a reload. */
async function readings(files: readonly string[], content: string): Promise<number> {
  const read = vi.fn(() => Promise.resolve(content));
  expect(await new FingerprintMemory(kept).hashOf(files, read)).toBe(content);
  return read.mock.calls.length;
}

describe("FingerprintMemory", () => {
  test("reads files once as long as nobody writes them", async () => {
    expect(await readings([weights], hash("a"))).toBe(1);
    expect(await readings([weights], hash("a"))).toBe(0);
  });

  test.each<[string, () => void]>([
    [
      "was touched",
      () => {
        utimesSync(weights, 1, 1);
      },
    ],
    [
      "was written over",
      () => {
        writeFileSync(weights, "WEIGHTS");
      },
    ],
    [
      "gave way to another of the same size and time",
      () => {
        const other = path.join(folder, "other");
        writeFileSync(other, "WEIGHTS");
        renameSync(other, weights);
      },
    ],
  ])("reads anew what %s", async (_, change) => {
    await readings([weights], hash("a"));
    vi.useRealTimers();
    change();
    later(60_000);
    expect(await readings([weights], hash("b"))).toBe(1);
    expect(await readings([weights], hash("b"))).toBe(0);
  });

  test("tells sets of files apart", async () => {
    const config = path.join(folder, "config.json");
    writeFileSync(config, "{}");
    expect(await readings([weights], hash("a"))).toBe(1);
    expect(await readings([weights, config], hash("b"))).toBe(1);
    expect(await readings([weights], hash("a"))).toBe(0);
  });

  test("does not remember what may be written again under the same stamp", async () => {
    vi.useRealTimers();
    writeFileSync(weights, "weights");
    expect(await readings([weights], hash("a"))).toBe(1);
    expect(await readings([weights], hash("a"))).toBe(1);
  });

  test("does not remember what was written while it was read", async () => {
    const read = (): Promise<string> => {
      writeFileSync(weights, "more weights");
      return Promise.resolve(hash("a"));
    };
    await new FingerprintMemory(kept).hashOf([weights], read);
    expect(existsSync(kept)).toBe(false);
  });

  test("forgets what was used longest ago, and stays small", async () => {
    const many = Array.from({ length: 600 }, (_, index): [string, string] => [
      `of ${index}`,
      hash("c"),
    ]);
    await readings([weights], hash("a"));
    const { entries } = JSON.parse(readFileSync(kept, "utf8"));
    writeFileSync(
      kept,
      JSON.stringify({ version: 1, entries: [...many.slice(0, 511), ...entries] }),
    );
    // To be used is to be the last that goes.
    expect(await readings([weights], hash("a"))).toBe(0);
    const config = path.join(folder, "config.json");
    writeFileSync(config, "{}");
    later(60_000);
    await readings([config], hash("b"));
    expect(JSON.parse(readFileSync(kept, "utf8")).entries).toHaveLength(512);
    expect(await readings([weights], hash("a"))).toBe(0);
    const { entries: now } = JSON.parse(readFileSync(kept, "utf8"));
    expect(now.map(([stamps]: [string]) => stamps)).not.toContain("of 510");
  });

  test.each(["", "{", '{"version":2,"entries":[]}', '{"version":1,"entries":[["a","b"]]}'])(
    "begins anew where it is spoilt: %j",
    async (content) => {
      await readings([weights], hash("a"));
      writeFileSync(kept, content);
      expect(await readings([weights], hash("a"))).toBe(1);
      expect(await readings([weights], hash("a"))).toBe(0);
    },
  );

  test("without a place to keep them, and of files that are gone, all is read", async () => {
    const read = vi.fn(() => Promise.resolve(hash("a")));
    const nowhere = new FingerprintMemory(undefined);
    await nowhere.hashOf([weights], read);
    await nowhere.hashOf([weights], read);
    await new FingerprintMemory(kept).hashOf(["/none"], read);
    expect(read).toHaveBeenCalledTimes(3);
  });

  test("a checkpoint that was opened before is told by its stamps alone", async () => {
    const checkpoint = copyFixture("llama", path.join(folder, "checkpoint"));
    const text = path.join(folder, "text.txt");
    writeFileSync(text, "Once upon a time");
    later(60_000);
    const { signal } = new AbortController();
    const contentOf = () => directReader.contentOf(checkpoint, [text], signal, kept);
    const first = await contentOf();
    expect(first).toEqual(await directReader.contentOf(checkpoint, [text], signal));
    // What it says now can come from nowhere else.
    const memory = JSON.parse(readFileSync(kept, "utf8"));
    memory.entries = memory.entries.map(([stamps]: [string]) => [stamps, hash("d")]);
    writeFileSync(kept, JSON.stringify(memory));
    expect(await contentOf()).toEqual({ ...first, fingerprint: hash("d"), texts: [hash("d")] });
    editConfig(checkpoint, { rms_norm_eps: 1e-3 });
    const changed = await contentOf();
    expect([hash("d"), first.fingerprint]).not.toContain(changed.fingerprint);
  });
});
