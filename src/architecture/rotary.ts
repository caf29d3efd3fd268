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
  | { readonly type: "longrope"; readonly factors: readonly number[]; readonly magnitude: number };

/**
 * Rotary frequencies θ^(−2i/size) (arXiv 2104.09864), then scaled. The llama3 blend follows
 * `_compute_llama3_parameters` of transformers/modeling_rope_utils.py.
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
    inverseFrequencies: frequencies.map((frequency, pair) => scale(frequency, pair, scaling)),
    pairing,
    magnitude: scaling.type === "longrope" ? scaling.magnitude : 1,
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
  const { theta, scaling, share, contextLength } = rotaryOf(config, parsed, defaultShare);
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

function scale(frequency: number, pair: number, scaling: RotaryScaling): number {
  switch (scaling.type) {
    case "default":
      return frequency;
    case "linear":
      return frequency / scaling.factor;
    case "longrope":
      return frequency / scaling.factors[pair]!;
    case "llama3": {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
      // Share of the unscaled frequency: 0 below `low` turns over the original context, 1 above `high`.
      const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
      return ((1 - kept) * frequency) / factor + kept * frequency;
    }
  }
}
