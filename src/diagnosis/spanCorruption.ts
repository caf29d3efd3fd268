/** T5's pre-training task, made of a document (arXiv 1910.10683, section 3.1.4). */
import type { SpanCorruption } from "../architecture/description";
import type { EvaluatedSequence } from "./objective";
import { randomShare } from "./random";
import { corruptedShare } from "./report";

/** Mean tokens of a span. */
const meanSpan = 3;
/** Tokenizers of T5 have as many sentinels. */
const mostSentinels = 100;

/**
 * A document with spans cut out at random for the encoder, and the spans for the decoder: as many tokens
 * and spans as the shares ask for, every way of placing them between kept tokens being equally likely,
 * the first of a document kept (`random_spans_noise_mask` of google-research/text-to-text-transfer-transformer).
 *
 * @param key of the random choice
 */
export function spanCorrupted(
  tokens: readonly number[],
  { firstSentinel, startToken, endToken }: SpanCorruption,
  key: readonly number[],
): Required<Pick<EvaluatedSequence, "source" | "tokens" | "predictions">> {
  // Tokenizers of T5 may have ended the document already.
  const isEnded = tokens.length > 1 && tokens.at(-1) === endToken;
  const document = isEnded ? tokens.slice(0, -1) : tokens;
  const { hidden, spans } = spanCounts(document.length, firstSentinel + 1);
  const kept = document.length - hidden;
  const shares = randomShare(Math.max(0, hidden - 1) + Math.max(0, kept - 1), key);
  const hiddenLengths = cutIn(hidden, spans, shares.slice(0, hidden - 1));
  const keptLengths = cutIn(kept, spans, shares.slice(hidden - 1));

  const source: number[] = [];
  const target: number[] = [];
  let at = 0;
  for (let span = 0; span < spans; span++) {
    const sentinel = firstSentinel - span;
    source.push(...document.slice(at, (at += keptLengths[span]!)), sentinel);
    target.push(sentinel, ...document.slice(at, (at += hiddenLengths[span]!)));
  }
  target.push(endToken);
  return {
    source: [...source, endToken],
    tokens: [startToken, ...target.slice(0, -1)],
    predictions: target.map((told, position) => ({ position, target: told })),
  };
}

/** Tokens that the encoder and the decoder read of a document of so many. */
export function corruptedLengths(length: number): { source: number; tokens: number } {
  const { hidden, spans } = spanCounts(length, mostSentinels);
  return { source: length - hidden + spans + 1, tokens: hidden + spans + 1 };
}

function spanCounts(length: number, sentinels: number): { hidden: number; spans: number } {
  const hidden = between(1, Math.round(length * corruptedShare), length - 1);
  const most = Math.min(length - hidden, mostSentinels, sentinels);
  return { hidden, spans: between(1, Math.round(hidden / meanSpan), most) };
}

/** The lower limit prevails. */
function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** So many tokens in parts of at least one: the cuts are where the shares are smallest. */
function cutIn(tokens: number, parts: number, shares: readonly number[]): number[] {
  const cuts = [...shares.keys()]
    .sort((a, b) => shares[a]! - shares[b]! || a - b)
    .slice(0, parts - 1)
    .map((place) => place + 1)
    .sort((a, b) => a - b);
  const ends = [...cuts, tokens];
  return ends.map((end, part) => end - (ends[part - 1] ?? 0));
}
