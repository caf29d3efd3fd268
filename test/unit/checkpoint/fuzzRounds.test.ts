import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readCounts } from "../../../scripts/shared/fuzzCounts.mjs";
import { corpusHash, seedOfRound } from "../../fuzz/corpus";
import { eachOf, whole } from "../../fuzz/samples";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

describe("rounds of mutated files", () => {
  it("are counted for what was fuzzed, and with one seed", () => {
    const file = join(scratch(), "counts.json");
    expect(readCounts(file, "1", "a")).toEqual({ seed: "1", fuzzed: "a", formats: {} });
    const counts = { seed: "1", fuzzed: "a", formats: { GGUF: { rounds: 3 } } };
    writeFileSync(file, JSON.stringify(counts));
    expect(readCounts(file, "1", "a")).toEqual(counts);
    expect(readCounts(file, "1", "b")).toEqual({ seed: "1", fuzzed: "b", formats: {} });
    expect(() => readCounts(file, "2", "a")).toThrow("is of seed 1");
  });

  it("tell their files from others", () => {
    const [a, b] = [Buffer.from("a"), Buffer.from("b")];
    const corpora = [
      [],
      [{ name: "x", samples: [whole(a)] }],
      [{ name: "x", samples: [whole(b)] }],
      [{ name: "x", samples: [{ ...whole(a), gap: 1 }] }],
      [{ name: "x", samples: eachOf({ a, b }) }],
      [{ name: "x", samples: eachOf({ a, b: a }) }],
      [{ name: "x", samples: eachOf({ a, b }, "a") }],
    ];
    expect(new Set(corpora.map(corpusHash)).size).toBe(corpora.length);
  });

  it("have seeds that rounds of other seeds do not have", () => {
    const rounds = [1, 2, 3].flatMap((seed) =>
      Array.from({ length: 1000 }, (_, round) => seedOfRound(seed, round)),
    );
    expect(new Set(rounds).size).toBe(3000);
    expect(rounds.every((seed) => (seed | 0) === seed)).toBe(true);
    expect(seedOfRound(1, 0)).toBe(rounds[0]);
  });
});
