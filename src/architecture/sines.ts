/**
 * Sinusoidal positions (arXiv 1706.03762), computed and not stored: place · frequency of each pair of
 * channels, its sine in one and its cosine in the other.
 */
export interface Sines {
  /** Angle per position of each pair of channels. */
  readonly frequencies: readonly number[];
  /** Where sine and cosine stand: in channels 2c and 2c + 1, or c and c + pairs. */
  readonly pairing: "halves" | "neighbours";
}

/** How code lays sinusoids out, by the name that a reading has for it. */
export const sineLayouts = {
  /** The paper's and PyTorch's tutorial's: 10000^(−2c/width). */
  neighbours: (width) => ({ frequencies: geometric(width / 2, width / 2), pairing: "neighbours" }),
  halves: (width) => ({ frequencies: geometric(width / 2, width / 2), pairing: "halves" }),
  /** Tensor2Tensor's: the last frequency is 1/10000 itself. */
  tensor2tensor: (width) => ({
    frequencies: geometric(width / 2, width / 2 - 1),
    pairing: "halves",
  }),
} as const satisfies Record<string, (width: number) => Sines>;

export type SineLayout = keyof typeof sineLayouts;

/** 10000^(−c/steps) for c = 0 … count − 1. */
function geometric(count: number, steps: number): number[] {
  return Array.from({ length: count }, (_, pair) => 10_000 ** (-pair / Math.max(1, steps)));
}

/** What is added to the embedding at each place, row-major [places, width]. */
export function sineRows({ frequencies, pairing }: Sines, places: number): Float32Array {
  const pairs = frequencies.length;
  const rows = new Float32Array(places * 2 * pairs);
  for (let place = 0; place < places; place++) {
    for (const [pair, frequency] of frequencies.entries()) {
      const [first, second] =
        pairing === "halves" ? [pair, pair + pairs] : [2 * pair, 2 * pair + 1];
      rows[place * 2 * pairs + first] = Math.sin(place * frequency);
      rows[place * 2 * pairs + second] = Math.cos(place * frequency);
    }
  }
  return rows;
}
