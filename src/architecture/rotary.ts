import type { RotaryConfig } from "./config";
import { configError, rotaryOf } from "./config";
import type { Rotary } from "./description";
import type { FamilyReader } from "./familyReader";

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
  /**
   * LongRoPE (arXiv 2402.13753) within the original context: each frequency divided by a factor of its
   * own, and what is rotated multiplied by the magnitude.
   */
  | { readonly type: "longrope"; readonly factors: readonly number[]; readonly magnitude: number }
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
    magnitude: "magnitude" in scaling ? scaling.magnitude : 1,
  };
}

/**
 * The rotary positions of heads of this many channels, as the config's keys state them.
 *
 * @param defaultShare of the channels that are rotated where the config does not say
 * @returns also the longest sequence that they are meant for
 * @throws CheckpointError when the channels do not come in pairs, or factors not one for each pair
 */
export function partialRotary(
  { config }: Pick<FamilyReader, "config">,
  parsed: RotaryConfig,
  headSize: number,
  defaultShare: number,
): { rotary: Rotary; contextLength: number | undefined } {
  const { theta, scaling, share, contextLength } = rotaryOf(config, parsed, { defaultShare });
  const size = Math.floor(headSize * share);
  if (size === 0 || size % 2 !== 0) {
    const what = `${share} of a head's ${headSize} channels are ${size}`;
    throw configError(config, "partial_rotary_factor", share, `${what}; expected an even number`);
  }
  if (scaling.type === "longrope" && scaling.factors.length !== size / 2) {
    const { length } = scaling.factors;
    throw configError(config, "short_factor", length, `expected ${size / 2} factors`);
  }
  return { rotary: rotary(size, theta, scaling), contextLength };
}

function scaled(frequencies: readonly number[], theta: number, scaling: RotaryScaling): number[] {
  switch (scaling.type) {
    case "default":
      return [...frequencies];
    case "linear":
      return frequencies.map((frequency) => frequency / scaling.factor);
    case "longrope":
      return frequencies.map((frequency, pair) => frequency / scaling.factors[pair]!);
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
