import { describe, expect, it } from "vitest";
import type { Settings } from "../../../../src/architecture/reading";
import type { CandidateTrial } from "../../../../src/diagnosis/readings/candidates";
import { everyCandidate } from "../../../../src/diagnosis/readings/candidates";

function trialOf(tokens: number, tried: readonly (readonly [Settings, number])[]): CandidateTrial {
  const known = tried.map(([settings, mean]) => ({
    settings,
    mean,
    losses: new Float64Array(),
    expected: mean,
  }));
  return {
    tokens,
    tried: known,
    lossesOf: (settings) =>
      known.find((one) => JSON.stringify(one.settings) === JSON.stringify(settings)),
  };
}

describe("the candidates of a report", () => {
  const four: Settings = { heads: "4" };
  const two: Settings = { heads: "2" };
  const one: Settings = { heads: "1" };
  const compared = trialOf(2048, [
    [two, 2.5],
    [four, 1.5],
  ]);

  it("are all that were tried, with the tokens of every trial", () => {
    const scout = trialOf(512, [
      [one, 3.5],
      [four, 1.25],
    ]);
    const longer = trialOf(4096, [[four, 1.4]]);
    expect(everyCandidate(compared, [scout, longer])).toEqual([
      {
        settings: four,
        nll: 1.5,
        tokens: 2048,
        further: [
          { nll: 1.25, tokens: 512 },
          { nll: 1.4, tokens: 4096 },
        ],
      },
      { settings: two, nll: 2.5, tokens: 2048, further: [] },
      { settings: one, nll: 3.5, tokens: 512, further: [] },
    ]);
  });

  it("begin with the one that is taken", () => {
    const [first] = everyCandidate(compared, [], two);
    expect(first!.settings).toBe(two);
  });

  it("have no loss where it is not finite, and no trial twice", () => {
    const scout = trialOf(2048, [
      [one, Infinity],
      [four, 1.5],
    ]);
    const found = everyCandidate(compared, [scout]);
    expect(found.map(({ nll }) => nll)).toEqual([1.5, 2.5, undefined]);
    expect(found.flatMap(({ further }) => further)).toEqual([]);
  });
});
