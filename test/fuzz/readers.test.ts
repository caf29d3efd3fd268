import { describe, expect, it } from "vitest";
import { scratchFolders } from "../unit/support/scratch";
import { fuzz } from "./fuzz";
import { targets } from "./targets";

const { FUZZ_RUNS: runs = "1000", FUZZ_FORMAT: format = "", FUZZ_SEED: seed = "1" } = process.env;
const chosen = targets.filter(({ name }) => format === "" || name === format);
const scratch = scratchFolders();

describe("mutated files", () => {
  it.each(chosen)("of $name are read or refused", async (target) => {
    const each = Math.ceil(Number(runs) / chosen.length);
    const counts = await fuzz(target, scratch(), { runs: each, seed: Number(seed) });
    console.log(`${target.name}: ${counts.read} read, ${counts.refused} refused`);
    expect(counts.read + counts.refused).toBe(each);
  });

  it("are of a known format", () => {
    expect(chosen).not.toEqual([]);
  });
});
