import type { OpenSetting } from "../../architecture/reading";
import type { Tried } from "./trial";

/**
 * A reading stands when it is better than every other by this many nats, and by as many standard errors
 * of the difference over tokens. Most wrong readings of a trained model lose tenths of a nat; SiLU read as
 * GELU loses about 0.01. Where a model is almost always right, as classifiers of images are, there is
 * little to lose: a share of the loss is enough then.
 */
export const leastMargin = { nats: 0.002, share: 0.1, standardErrors: 3 } as const;

/**
 * The readings that compute something else than the best, the nearest first; approximations do not, nor do
 * numbers that were tried only to refine one.
 */
export function rivals(
  best: Tried,
  tried: readonly Tried[],
  open: readonly OpenSetting[],
): { rival: Tried; margin: number; isClear: boolean }[] {
  const decisive = open.filter(({ isApproximate }) => !isApproximate);
  const isOther = (
    { values, isContinuous }: OpenSetting,
    value: string | undefined,
    taken: string | undefined,
  ): boolean =>
    value !== taken && !(isContinuous && value !== undefined && !values.includes(value));
  return tried
    .filter(({ settings }) =>
      decisive.some((setting) =>
        isOther(setting, settings[setting.name], best.settings[setting.name]),
      ),
    )
    .filter((other) => !isSame(best, other))
    .toSorted((a, b) => a.mean - b.mean)
    .map((rival) => ({ rival, ...compare(best, rival) }));
}

/** Whether two readings come to the same computation, as two rotary pairings of one pair do. */
function isSame(a: Tried, b: Tried): boolean {
  return (
    a.losses.length === b.losses.length &&
    a.losses.every((loss, at) => Math.abs(loss - b.losses[at]!) < 1e-5)
  );
}

/** How much better the first is, and whether that is beyond chance. */
export function compare(better: Tried, worse: Tried): { margin: number; isClear: boolean } {
  if (worse.mean === Infinity) return { margin: Infinity, isClear: better.mean < Infinity };
  const { margin, error } = difference(better.losses, worse.losses);
  return {
    margin,
    isClear:
      margin >= Math.min(leastMargin.nats, leastMargin.share * better.mean) &&
      margin >= leastMargin.standardErrors * error,
  };
}

/**
 * How much less the first losses are on average, and the standard error of that over tokens; those of
 * other predictions (masked tokens beside the next ones) are not paired.
 */
export function difference(
  less: Float64Array,
  more: Float64Array,
): { readonly margin: number; readonly error: number } {
  if (less.length !== more.length) {
    const [one, other] = [moments(less), moments(more)];
    return { margin: other.mean - one.mean, error: Math.hypot(one.error, other.error) };
  }
  const { mean, error } = moments(more.map((loss, at) => loss - less[at]!));
  return { margin: mean, error };
}

function moments(values: Float64Array): { readonly mean: number; readonly error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}
