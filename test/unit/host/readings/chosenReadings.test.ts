import { describe, expect, test } from "vitest";
import { ChosenReadings } from "../../../../src/host/readings/chosenReadings";
import { offeredReadings } from "../../../../src/host/readings/offeredReadings";

class PlainMemory {
  private readonly values = new Map<string, unknown>();
  get(key: string): unknown {
    return this.values.get(key);
  }
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, JSON.parse(JSON.stringify(value)));
    return Promise.resolve();
  }
}

const candidates = [
  { settings: { heads: "4", norm: "post-ln", scale: "head" }, nll: 1.57 },
  { settings: { heads: "4", norm: "pre-ln", scale: "head" }, nll: 1.571 },
  { settings: { heads: "8", norm: "pre-ln", scale: "head" } },
];

describe("the reading that was chosen of a checkpoint", () => {
  test("is kept over another window, until it is cleared; what was tried stays", async () => {
    const memory = new PlainMemory();
    const first = new ChosenReadings(memory);
    expect(first.requestPart("/c")).toEqual({});
    await first.noteCandidates("/c", candidates);
    await first.choose("/c", candidates[1]!.settings);
    const next = new ChosenReadings(memory);
    expect(next.requestPart("/c")).toEqual({ chosenReading: candidates[1]!.settings });
    expect(next.requestPart("/d")).toEqual({});
    expect(next.candidatesFor("/c")).toEqual(candidates);
    await next.clear("/c");
    expect(next.chosenFor("/c")).toBeUndefined();
    expect(next.candidatesFor("/c")).toEqual(candidates);
  });

  test("of two hundred checkpoints at most, and forty readings", async () => {
    const chosen = new ChosenReadings(new PlainMemory());
    const many = Array.from({ length: 60 }, () => candidates[0]!);
    for (let at = 0; at < 205; at++) await chosen.choose(`/${at}`, { heads: String(at) });
    await chosen.noteCandidates("/204", many);
    expect(chosen.chosenFor("/4")).toBeUndefined();
    expect(chosen.chosenFor("/5")).toEqual({ heads: "5" });
    expect(chosen.chosenFor("/204")).toEqual({ heads: "204" });
    expect(chosen.candidatesFor("/204")).toHaveLength(40);
  });
});

describe("readings that are offered", () => {
  test("say what sets each apart from the best", () => {
    expect(offeredReadings(candidates).map(({ label }) => label)).toEqual([
      "heads=4, norm=post-ln",
      "norm=pre-ln",
      "heads=8, norm=pre-ln",
    ]);
    expect(offeredReadings([])).toEqual([]);
  });

  test("are those whose losses are of the same tokens", () => {
    const compared = candidates.map((one) => ({ ...one, tokens: 2048 }));
    const leftBehind = { settings: { heads: "2" }, nll: 1, tokens: 512 };
    const offered = offeredReadings([...compared, leftBehind]);
    expect(offered.map(({ candidate }) => candidate)).toEqual(compared);
  });
});
