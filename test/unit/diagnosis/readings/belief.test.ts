import { describe, expect, it } from "vitest";
import { baselines } from "../../../../src/diagnosis/readings/baselines";
import { whyNotBelieved } from "../../../../src/diagnosis/readings/belief";
import type { Tried } from "../../../../src/diagnosis/readings/trial";

describe("guesses without a model", () => {
  it("are by how often tokens stood before, and by what followed the same token", () => {
    const sequences = [
      { document: 0, tokens: [0, 1, 0, 1] },
      { document: 1, tokens: [0, 1] },
    ];
    const { frequencies, pairs } = baselines(sequences, 2);
    // Of two kinds in the vocabulary, none, one and then both have stood.
    const expected = [1 / 2, 1 / 2 / 2, (1 + 2 / 2) / 4, (2 + 2 / 2) / 5];
    for (const [at, chance] of expected.entries()) {
      expect(frequencies[at]).toBeCloseTo(-Math.log(chance), 12);
    }
    // 1 has followed 0 once, of one kind: (1 + 1 · 2/4) / (1 + 1); then twice.
    const [first, second, third, fourth] = pairs;
    expect(first).toBe(frequencies[0]);
    expect(second).toBe(frequencies[1]);
    expect(third).toBeCloseTo(-Math.log((1 + 2 / 4) / 2), 12);
    expect(fourth).toBeCloseTo(-Math.log((2 + 3 / 5) / 3), 12);
  });

  it("are no worse for the words of a large vocabulary that are never used", () => {
    const tokens = Array.from({ length: 2048 }, (_, at) => (at * at) % 97);
    const meanOf = (vocabularySize: number): number => {
      const { frequencies } = baselines([{ document: 0, tokens }], vocabularySize);
      return frequencies.reduce((sum, loss) => sum + loss, 0) / frequencies.length;
    };
    expect(meanOf(150_000) - meanOf(100)).toBeLessThan(0.5);
  });
});

describe("the best reading", () => {
  const count = 400;
  const filled = (value: number): Float64Array => new Float64Array(count).fill(value);
  /** Losses about a mean, with a deviation of 1. */
  const around = (mean: number): Float64Array =>
    filled(mean).map((value, at) => value + (at % 2 === 0 ? 1 : -1));
  const tried = (mean: number, expected: number): Tried => ({
    settings: {},
    losses: around(mean),
    mean,
    expected,
  });
  const guesses = { frequencies: filled(3.3), pairs: filled(2.8) };

  it.each<[string, Tried, boolean]>([
    ["much better than frequencies and pairs, though too sure of itself", tried(1.9, 1), true],
    ["much better than frequencies alone, and too sure of itself", tried(2.2, 1.2), false],
    ["of a weakly trained model, better than pairs by six standard errors", tried(2.5, 2.3), true],
    ["better than pairs by four standard errors", tried(2.6, 2.5), false],
    ["better than pairs, but far less right than it is sure", tried(2.5, 1.95), false],
    ["worse than frequencies", tried(3.4, 3.3), false],
  ])("%s is believed: %o", (_, best, isBelieved) => {
    expect(whyNotBelieved(best, guesses, false) === undefined).toBe(isBelieved);
  });

  it("is refused with its loss and what it is measured by", () => {
    const why = whyNotBelieved(tried(2.6, 1.95), guesses, false)!;
    for (const word of ["2.600", "3.300", "2.800", "1.950"]) expect(why).toContain(word);
  });

  it("of images is measured by how often classes stand alone", () => {
    expect(whyNotBelieved(tried(2.6, 2.5), guesses, true)).toContain("the frequencies of classes");
    const ofClasses = { frequencies: filled(3.3), pairs: filled(3.3) };
    expect(whyNotBelieved(tried(2.2, 0.5), ofClasses, true)).toBeUndefined();
  });
});
