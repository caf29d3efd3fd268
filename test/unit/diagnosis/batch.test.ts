import { describe, expect, it } from "vitest";
import { Batch } from "../../../src/diagnosis/batch";

describe("a batch", () => {
  const batch = new Batch(
    [
      { index: 4, document: 4, tokens: [1, 2, 3], predictions: [] },
      { index: 5, document: 5, tokens: [6], predictions: [] },
    ],
    2,
  );
  const stream = Float32Array.of(1, 2, 3, 4, 5, 6, /**/ 7, 8, /* padding */ 9, 9, 9, 9);

  it("is as long as its longest sequence", () => {
    expect(batch).toMatchObject({ size: 2, length: 3, stride: 6 });
  });

  it("shows a document's own tokens, never its padding", () => {
    expect([...batch.tokensOf(stream, 0)]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...batch.tokensOf(stream, 1)]).toEqual([7, 8]);
  });

  it("is finite when its tokens are, whatever the padding holds", () => {
    const padded = stream.slice();
    padded[9] = NaN;
    expect(batch.isFinite(padded)).toBe(true);
    padded[7] = Infinity;
    expect(batch.isFinite(padded)).toBe(false);
  });
});
