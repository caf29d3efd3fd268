import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Objective } from "../../../src/architecture/description";
import { plainHead } from "../../../src/architecture/description";
import { evaluatedSequences, whyNoLoss } from "../../../src/diagnosis/objective";
import { maskedShare } from "../../../src/diagnosis/report";

const head = plainHead({
  name: "head",
  dataType: "F32",
  shape: [9, 2],
  file: "/f",
  offset: 0,
  byteLength: 72,
});
const masks: Objective = { kind: "masked-token", maskToken: 8 };
const evaluated = (tokens: readonly number[], objective: Objective, seed = 0) =>
  evaluatedSequences([{ document: 3, tokens }], { head, objective }, seed)[0]!;

describe("what a model is asked", () => {
  it("is the next token at every position of a causal one", () => {
    expect(evaluated([5, 6, 7], { kind: "next-token" })).toEqual({
      document: 3,
      index: 0,
      tokens: [5, 6, 7],
      predictions: [
        { position: 0, target: 6 },
        { position: 1, target: 7 },
      ],
    });
  });

  it("is what the mask hides of a masked one, and at least one token", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(7), { minLength: 1, maxLength: 60 }),
        fc.nat(),
        (tokens, seed) => {
          const { tokens: fed, predictions } = evaluated(tokens, masks, seed);
          expect(predictions.length).toBeGreaterThan(0);
          const restored = [...fed];
          for (const { position, target } of predictions) {
            expect(fed[position]).toBe(8);
            restored[position] = target;
          }
          expect(restored).toEqual(tokens);
          expect(fed.filter((token) => token === 8)).toHaveLength(predictions.length);
          expect(evaluated(tokens, masks, seed).predictions).toEqual(predictions);
        },
      ),
    );
  });

  it("is about the stated share, another of each seed", () => {
    const tokens = Array.from({ length: 5000 }, () => 1);
    const [first, second] = [evaluated(tokens, masks, 1), evaluated(tokens, masks, 2)];
    expect(Math.abs(first.predictions.length / 5000 - maskedShare)).toBeLessThan(0.02);
    expect(first.predictions).not.toEqual(second.predictions);
  });

  it("is nothing where there is no head, or no token to hide others with", () => {
    const objective: Objective = { kind: "masked-token", maskToken: undefined };
    expect(whyNoLoss({ head, objective })).toContain("which token masks others");
    expect(whyNoLoss({ head: undefined, objective: masks })).toContain("no language-model head");
    expect(evaluated([1, 2], objective).predictions).toEqual([]);
    expect(evaluated([1, 2], objective).tokens).toEqual([1, 2]);
  });
});
