import type { Sequence } from "../../text/documents";

/** Losses, in nats, of guessing every predicted token, or class, without the model that is read. */
export interface Baselines {
  /** By how often each stood among those before it. */
  readonly frequencies: Float64Array;
  /** By how often each followed the same token, frequencies standing in for what was not seen. */
  readonly pairs: Float64Array;
}

/**
 * Each sequence's predictions in their order, as those of a reading are. How often a token stood is
 * smoothed by how many kinds have stood (Witten and Bell, 1991), so that words that were never seen count
 * by how often new ones came, and not by how many there are; what follows a token by how many kinds have
 * followed it. Images have a class and no token before it.
 */
export function baselines(sequences: readonly Sequence[], vocabularySize: number): Baselines {
  const counts = new Map<number, number>();
  const followers = new Map<number, { total: number; readonly counts: Map<number, number> }>();
  const frequencies: number[] = [];
  const pairs: number[] = [];
  const predict = (token: number, before: number | undefined): void => {
    const seen = frequencies.length;
    const uniform = 1 / vocabularySize;
    const single =
      seen === 0
        ? uniform
        : ((counts.get(token) ?? 0) + counts.size * uniform) / (seen + counts.size);
    frequencies.push(-Math.log(single));
    counts.set(token, (counts.get(token) ?? 0) + 1);
    const own = (before === undefined ? undefined : followers.get(before)) ?? {
      total: 0,
      counts: new Map<number, number>(),
    };
    const kinds = own.counts.size;
    const pair =
      kinds === 0 ? single : ((own.counts.get(token) ?? 0) + kinds * single) / (own.total + kinds);
    pairs.push(-Math.log(pair));
    if (before === undefined) return;
    own.counts.set(token, (own.counts.get(token) ?? 0) + 1);
    own.total++;
    followers.set(before, own);
  };
  for (const { image, tokens } of sequences) {
    if (image) predict(image.label!, undefined);
    else for (const [at, token] of tokens.slice(1).entries()) predict(token, tokens[at]);
  }
  return { frequencies: Float64Array.from(frequencies), pairs: Float64Array.from(pairs) };
}
