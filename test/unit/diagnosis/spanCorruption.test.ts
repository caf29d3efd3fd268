import { describe, expect, it } from "vitest";
import type { SpanCorruption } from "../../../src/architecture/description";
import { corruptedLengths, spanCorrupted } from "../../../src/diagnosis/spanCorruption";

const objective: SpanCorruption = {
  kind: "span-corruption",
  firstSentinel: 999,
  startToken: 0,
  endToken: 1,
};
const document = Array.from({ length: 256 }, (_, at) => 2 + at);

/** The document that the encoder's and the decoder's tokens are of, the spans put back. */
function restored({ source, target }: { source: readonly number[]; target: readonly number[] }) {
  const spans = new Map<number, number[]>();
  let span: number[] = [];
  for (const token of target.slice(0, -1)) {
    if (token > 900) spans.set(token, (span = []));
    else span.push(token);
  }
  return source.slice(0, -1).flatMap((token) => spans.get(token) ?? [token]);
}

describe("span corruption", () => {
  const { source, tokens, predictions } = spanCorrupted(document, objective, [0, 0]);
  const target = predictions.map((prediction) => prediction.target);

  it("loses nothing of the document, each sentinel standing for its span", () => {
    expect(restored({ source, target })).toEqual(document);
    const sentinels = source.filter((token) => token > 900);
    expect(sentinels).toEqual(sentinels.map((_, span) => 999 - span));
    expect(target.filter((token) => token > 900)).toEqual(sentinels);
  });

  it("hides 15% of the tokens in spans of three on average, and ends both sides", () => {
    const hidden = target.filter((token) => token > 1 && token < 900);
    const spans = target.filter((token) => token > 900);
    expect([hidden.length, spans.length]).toEqual([38, 13]);
    expect([source.at(-1), target.at(-1)]).toEqual([1, 1]);
    expect(source[0]).toBe(document[0]);
  });

  it("feeds the decoder what it has told so far, and asks it for every token", () => {
    expect(tokens).toEqual([0, ...target.slice(0, -1)]);
    expect(predictions.map(({ position }) => position)).toEqual([...tokens.keys()]);
  });

  it("is drawn from the key", () => {
    expect(spanCorrupted(document, objective, [0, 0])).toEqual({ source, tokens, predictions });
    expect(spanCorrupted(document, objective, [0, 1]).source).not.toEqual(source);
    expect(spanCorrupted(document, objective, [1, 0]).source).not.toEqual(source);
  });

  it("ends a document once that its tokenizer has ended", () => {
    expect(spanCorrupted([...document, 1], objective, [0, 0])).toEqual({
      source,
      tokens,
      predictions,
    });
  });

  it.each([1, 2, 3, 7, 20, 256, 3000])("has as many tokens of %i as are planned for", (length) => {
    const long = Array.from({ length }, (_, at) => 2 + (at % 890));
    const corrupted = spanCorrupted(long, objective, [0, 0]);
    const { source: read, tokens: told } = corrupted;
    expect({ source: read.length, tokens: told.length }).toEqual(corruptedLengths(length));
    const spans = read.filter((token) => token > 890 + 2).length;
    expect(spans).toBeLessThanOrEqual(100);
    expect(told.length + read.length).toBe(length + 2 * spans + 2);
  });

  it("makes do with the sentinels that a vocabulary has", () => {
    const small = { ...objective, firstSentinel: 2 };
    const { predictions: asked } = spanCorrupted(document, small, [0, 0]);
    expect(Math.min(...asked.map((one) => one.target))).toBeGreaterThanOrEqual(0);
  });
});
