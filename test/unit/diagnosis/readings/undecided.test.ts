import { describe, expect, it } from "vitest";
import type { OpenSetting } from "../../../../src/architecture/reading";
import { listed } from "../../../../src/diagnosis/readings/undecided";

const open: OpenSetting[] = [
  { name: "norm", values: ["pre-ln", "post-ln"] },
  { name: "positions", values: ["rotary", "alibi"] },
  { name: "rotary", values: ["halves"], onlyWith: { name: "positions", value: "rotary" } },
  { name: "scale", values: ["head", "hidden", "none"] },
  { name: "epsilon", values: ["1e-5", "1e-6"], isApproximate: true },
];
const best = { norm: "pre-ln", positions: "alibi", scale: "head", epsilon: "1e-5" };

describe("the readings that a refusal lists", () => {
  it("are those that differ in more than approximations, by what they differ in", () => {
    const text = listed(
      [
        { settings: best, nll: 2.1 },
        { settings: { ...best, epsilon: "1e-6" }, nll: 2.1 },
        { settings: { ...best, scale: "hidden" }, nll: 2.2 },
        { settings: { ...best, positions: "rotary", rotary: "halves" }, nll: undefined },
      ],
      open,
    );
    expect(text).toBe(
      "The best readings, in what they differ, and their losses in nats a token: positions=alibi, scale=head: 2.1000; scale=hidden: 2.2000; positions=rotary, rotary=halves: not finite.",
    );
  });

  it("are five at most, with how many there are beyond", () => {
    const many = Array.from({ length: 30 }, (_, at) => ({
      settings: { ...best, heads: String(at + 1) },
      nll: at,
    }));
    const text = listed(many, [...open, { name: "heads", values: [] }]);
    expect(text.match(/heads=/g)).toHaveLength(5);
    expect(text).toContain("and 25 more");
    expect(text.length).toBeLessThan(300);
  });
});
