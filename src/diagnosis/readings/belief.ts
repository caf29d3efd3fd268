import type { Baselines } from "./baselines";
import { difference } from "./margin";
import type { Tried } from "./trial";

/**
 * A reading that predicts better by this share than the frequencies of the tokens before do, or those of
 * their pairs where these predict better, is taken for true. Wrong readings come close to those; and on
 * text that is strange to a model, readings that make it less sure of itself (another attention scale)
 * predict better than the true one: by up to 25%.
 */
const leastGain = 0.3;

/**
 * A weakly trained model predicts less well. It is read where it predicts better than a table of the
 * pairs before does, by as many standard errors as these: below three its loss was least under a wrong
 * activation or place of norms, and once at about three and a half under wrong heads. And it must know the
 * kind of text: its loss may be above what it expects by its own probabilities, but by no more than this
 * share. Readings of hand-written character models were right at up to 16%, and wrong at 34% (other
 * prose), 57% and more (other kinds).
 */
const mostExcess = 0.25;
const standardErrorsBeyondPairs = 5;

/** Why no reading is taken for true although one is the best; undefined where it may be. */
export function whyNotBelieved(
  best: Tried,
  { frequencies, pairs }: Baselines,
  isOfImages: boolean,
): string | undefined {
  const [byFrequency, byPairs] = [mean(frequencies), mean(pairs)];
  if (best.mean <= (1 - leastGain) * Math.min(byFrequency, byPairs)) return undefined;
  const isKnown = best.mean <= (1 + mostExcess) * best.expected;
  const { margin, error } = difference(best.losses, pairs);
  const isBeyondPairs = margin >= standardErrorsBeyondPairs * error;
  if (!isOfImages && isKnown && isBeyondPairs) return undefined;
  const nats = (value: number): string => value.toFixed(3);
  const guesses = isOfImages
    ? `the frequencies of classes give ${nats(byFrequency)}`
    : `the frequencies of the tokens before give ${nats(byFrequency)}, those of pairs ${nats(byPairs)}, and its own probabilities expect ${nats(best.expected)}`;
  return `under no reading of its tensors does it predict the evaluated ${isOfImages ? "classes" : "tokens"} well enough for one to be taken for true: its loss is ${nats(best.mean)} nats at best, where ${guesses}.`;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
