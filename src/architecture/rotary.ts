import type { Rotary } from "./description";

/** How rotary frequencies are stretched for longer contexts, as config.json states it. */
export type RotaryScaling =
  | { readonly type: "default" }
  /** Positions divided by the factor (arXiv 2306.15595). */
  | { readonly type: "linear"; readonly factor: number }
  /** Llama 3.1: low frequencies divided by the factor, high ones kept, blended between. */
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContextLength: number;
    }
  /** YaRN (arXiv 2309.00071): pairs of few turns over the original context divided by the factor. */
  | {
      readonly type: "yarn";
      readonly factor: number;
      /** Turns over the original context above which a pair is kept, and below which it is divided. */
      readonly fastTurns: number;
      readonly slowTurns: number;
      readonly originalContextLength: number;
      /** Whether the bounds are rounded to whole pairs. */
      readonly isTruncated: boolean;
      readonly magnitude: number;
    };

/**
 * Rotary frequencies θ^(−2i/size) (arXiv 2104.09864), then scaled. The blends follow
 * `_compute_llama3_parameters` and `_compute_yarn_parameters` of transformers/modeling_rope_utils.py.
 *
 * @param size channels of a head that are rotated, an even number
 */
export function rotary(
  size: number,
  theta: number,
  scaling: RotaryScaling,
  pairing: Rotary["pairing"] = "halves",
): Rotary {
  const frequencies = Array.from({ length: size / 2 }, (_, pair) => theta ** ((-2 * pair) / size));
  return {
    inverseFrequencies: scaled(frequencies, theta, scaling),
    pairing,
    magnitude: scaling.type === "yarn" ? scaling.magnitude : 1,
  };
}

function scaled(frequencies: readonly number[], theta: number, scaling: RotaryScaling): number[] {
  switch (scaling.type) {
    case "default":
      return [...frequencies];
    case "linear":
      return frequencies.map((frequency) => frequency / scaling.factor);
    case "llama3": {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      return frequencies.map((frequency) => {
        const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
        // Share of the unscaled frequency: 0 below `low` turns over the original context, 1 above `high`.
        return blend(frequency, factor, between(turns, low, high));
      });
    }
    case "yarn": {
      const { factor, originalContextLength, isTruncated } = scaling;
      const size = 2 * frequencies.length;
      // The pair, not a whole number, that turns this often over the original context.
      const pairOf = (turns: number): number =>
        (size * Math.log(originalContextLength / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
      const [fast, slow] = [pairOf(scaling.fastTurns), pairOf(scaling.slowTurns)];
      const first = Math.max(isTruncated ? Math.floor(fast) : fast, 0);
      const last = Math.min(isTruncated ? Math.ceil(slow) : slow, size - 1);
      return frequencies.map((frequency, pair) =>
        blend(frequency, factor, 1 - between(pair, first, first === last ? last + 0.001 : last)),
      );
    }
  }
}

/** Where a value lies from 0 at `low` to 1 at `high`, not beyond. */
function between(value: number, low: number, high: number): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)));
}

function blend(frequency: number, factor: number, kept: number): number {
  return ((1 - kept) * frequency) / factor + kept * frequency;
}
