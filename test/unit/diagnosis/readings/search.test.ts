import { describe, expect, it } from "vitest";
import type { OpenSetting, Settings } from "../../../../src/architecture/reading";
import { bestArrangement, bestBranch, descend } from "../../../../src/diagnosis/readings/search";
import type { Trial } from "../../../../src/diagnosis/readings/trial";

/** Losses of a rotary model: two heads turned by halves are a valley of their own. */
const losses: Readonly<Record<string, number>> = {
  "1,halves": 3.25,
  "2,halves": 2.95,
  "4,halves": 3.2,
  "1,neighbours": 3.4,
  "2,neighbours": 3.22,
  "4,neighbours": 2.25,
};

const heads: OpenSetting = { name: "heads", values: ["1", "2", "4"] };
const rotary: OpenSetting = {
  name: "rotary",
  values: ["halves", "neighbours"],
  branches: ["halves", "neighbours"],
  onlyWith: { name: "positions", value: "rotary" },
};
const start: Settings = { heads: "1", rotary: "halves" };

/** Tries readings by a table, a tenth of a nat worse for each of the others that is wrong. */
function trialOf(others: Settings = {}): Trial {
  const meanOf = (settings: Settings): number =>
    losses[`${settings.heads!},${settings.rotary!}`]! +
    Object.entries(others).filter(([name, value]) => settings[name as keyof Settings] !== value)
      .length /
      10;
  const trial = {
    losses: (settings: Settings) =>
      Promise.resolve({
        settings,
        mean: meanOf(settings),
        losses: new Float64Array(),
        expected: Number.NaN,
      }),
  };
  return trial as unknown as Trial;
}

describe("the search for a reading", () => {
  it("stays in a valley where one change at a time makes nothing better", async () => {
    const { settings } = await descend(trialOf(), [heads, rotary], start);
    expect(settings).toEqual({ heads: "2", rotary: "halves" });
  });

  it("finds the true one from every branch", async () => {
    const settings = await bestBranch(trialOf(), [heads, rotary], start);
    expect(settings).toEqual({ heads: "4", rotary: "neighbours" });
  });

  it("tries the branches of one setting beside those of another", async () => {
    const positions: OpenSetting = {
      name: "positions",
      values: ["alibi", "rotary"],
      branches: ["alibi", "rotary"],
    };
    const trial = trialOf({ positions: "rotary" });
    const settings = await bestBranch(trial, [positions, heads, rotary], {
      ...start,
      positions: "alibi",
    });
    expect(settings).toEqual({ positions: "rotary", heads: "4", rotary: "neighbours" });
  });

  it("judges arrangements before it asks what other settings there are", async () => {
    const fused: OpenSetting = { name: "fused", values: ["thirds", "heads"], isArrangement: true };
    const positions: OpenSetting = { name: "positions", values: ["rotary", "alibi"] };
    const trial = trialOf({ fused: "heads", positions: "alibi" });
    const settings = await bestArrangement(trial, [fused, positions, heads, rotary], {
      ...start,
      fused: "thirds",
      positions: "rotary",
    });
    expect(settings).toEqual({
      fused: "heads",
      positions: "rotary",
      heads: "2",
      rotary: "halves",
    });
  });

  it("leaves a reading as it is where there is nothing to start from", async () => {
    expect(await bestArrangement(trialOf(), [heads, rotary], start)).toBe(start);
    expect(await bestBranch(trialOf(), [heads], start)).toBe(start);
  });
});
