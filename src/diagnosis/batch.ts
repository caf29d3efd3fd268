import type { EvaluatedSequence } from "./objective";

/** Sequences of one batch, padded at the end to the longest of them. */
export class Batch {
  /** Tokens of the longest, which all are padded to. */
  readonly length: number;

  constructor(
    readonly sequences: readonly EvaluatedSequence[],
    readonly width: number,
  ) {
    this.length = sequences.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  }

  get size(): number {
    return this.sequences.length;
  }

  /** Scalars of one sequence's padded stream. */
  get stride(): number {
    return this.length * this.width;
  }

  /** One sequence's tokens of a stream [sequences, length, width], padding cut off. */
  tokensOf(stream: Float32Array, sequence: number): Float32Array {
    const start = sequence * this.stride;
    return stream.subarray(start, start + this.sequences[sequence]!.tokens.length * this.width);
  }

  /** The same of several streams, by their names. */
  tokensOfEach<Name extends string>(
    streams: Readonly<Record<Name, Float32Array>>,
    sequence: number,
  ): Record<Name, Float32Array> {
    const names = Object.keys(streams) as Name[];
    const tokens = names.map((name) => [name, this.tokensOf(streams[name], sequence)]);
    return Object.fromEntries(tokens) as Record<Name, Float32Array>;
  }

  /** Whether all real tokens of a stream are finite; padding does not count. */
  isFinite(stream: Float32Array): boolean {
    return this.sequences.every((_, sequence) => {
      for (const value of this.tokensOf(stream, sequence)) {
        if (!Number.isFinite(value)) return false;
      }
      return true;
    });
  }
}
