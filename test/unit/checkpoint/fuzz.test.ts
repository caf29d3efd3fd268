import { describe, expect, it } from "vitest";
import { fuzz } from "../../fuzz/fuzz";
import { targets } from "../../fuzz/targets";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

/** Some of what `npm run fuzz` does at length. */
describe("mutated files", () => {
  it.each(targets)("of $name are read or refused", async (target) => {
    const { read, refused } = await fuzz(target, scratch(), { runs: 500, seed: 4 });
    // Not all are refused for the first thing that is looked at.
    expect(read).toBeGreaterThan(50);
    expect(refused).toBeGreaterThan(50);
  });
});
