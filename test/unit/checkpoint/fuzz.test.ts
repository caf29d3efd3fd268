import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../src/checkpoint/errors";
import { watchAllocation } from "../../fuzz/allocation";
import { fuzz } from "../../fuzz/fuzz";
import { whole } from "../../fuzz/samples";
import { targets } from "../../fuzz/targets";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** Some of what `npm run fuzz` does at length. */
describe("mutated files", () => {
  it.each(targets)("of $name are read or refused", async (target) => {
    const { read, refused } = await fuzz(target, scratch(), { runs: 250, seed: 4 });
    // Not all are refused for the first thing that is looked at.
    expect(read).toBeGreaterThan(25);
    expect(refused).toBeGreaterThan(25);
  });

  const fuzzed = (read: () => Promise<unknown>) =>
    fuzz({ name: "x", samples: [whole(Buffer.from("abc"))], read, multiple: 4 }, scratch(), {
      runs: 3,
      seed: 1,
    });

  it.each<[string, () => Promise<unknown>]>([
    [
      "takes a million objects",
      () => Promise.resolve(Array.from({ length: 1e6 }, (_, at) => [at])),
    ],
    ["takes a map of them", () => Promise.resolve(new Map(Array(1e5).fill(0).entries()))],
    ["takes an array of numbers", () => Promise.resolve(new Float64Array(1e6))],
    ["takes a buffer", () => Promise.resolve(Buffer.alloc(1e6))],
    ["fails otherwise than we do", () => Promise.reject(new RangeError("out of range"))],
    ["says why not in two lines", () => Promise.reject(new CheckpointError("header", "a\nb"))],
  ])("are told of where a reader %s", async (_, read) => {
    let calls = 0;
    // The valid file is read first.
    const later = async () => (calls++ === 0 ? undefined : read());
    await expect(fuzzed(later)).rejects.toThrow("Property failed after 1 tests");
    expect(await fuzzed(() => Promise.resolve())).toMatchObject({ read: 3, refused: 0 });
  });

  it("count what is thrown away at once, and nothing else", () => {
    const taken = (use: () => unknown): number => {
      const watch = watchAllocation();
      use();
      return watch.end();
    };
    const halves = (): string[] =>
      Array.from({ length: 200 }, (_, at) => Array(50_000).fill(at).join());
    // Many times the young generation's size: it is collected on the way.
    expect(taken(() => halves().length)).toBeGreaterThan(2e7);
    expect(taken(() => undefined)).toBeLessThan(2 ** 18);
  });
});
