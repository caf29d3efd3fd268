import type { EvaluatedSequence } from "./objective";

/** What an encoder gave of a batch's sequences. */
export interface EncoderMemory {
  /** [sequences, length, hidden] */
  readonly stream: Float32Array;
  /** Tokens that all are padded to. */
  readonly length: number;
  /** Tokens that the encoder read of each. */
  readonly lengths: readonly number[];
}

/** Sequences of one batch, padded at the end to the longest of them. */
export class Batch {
  /** Tokens of the longest, which all are padded to. */
  readonly length: number;

  constructor(
    readonly sequences: readonly EvaluatedSequence[],
    readonly width: number,
    /** What cross-attention reads; undefined where there is none. */
    readonly memory?: EncoderMemory,
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
  tokensOfEach<Streams extends { readonly [Name in keyof Streams]?: Float32Array }>(
    streams: Streams,
    sequence: number,
  ): Streams {
    const entries = Object.entries<Float32Array>(streams as Record<string, Float32Array>);
    const tokens = entries.map(([name, stream]) => [name, this.tokensOf(stream, sequence)]);
    return Object.fromEntries(tokens) as Streams;
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
