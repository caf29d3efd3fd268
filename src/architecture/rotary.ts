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
    };

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
  return { inverseFrequencies: frequencies.map((frequency) => scale(frequency, scaling)), pairing };
}

function scale(frequency: number, scaling: RotaryScaling): number {
  switch (scaling.type) {
    case "default":
      return frequency;
    case "linear":
      return frequency / scaling.factor;
    case "llama3": {
      const { factor, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
      const turns = (scaling.originalContextLength * frequency) / (2 * Math.PI);
      // Share of the unscaled frequency: 0 below `low` turns over the original context, 1 above `high`.
      const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
      return ((1 - kept) * frequency) / factor + kept * frequency;
    }
  }
}
