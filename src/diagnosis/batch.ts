/** A document with its place in the whole evaluation, which its probes' random numbers hang on. */
export interface NumberedDocument {
  readonly index: number;
  readonly tokens: readonly number[];
}

/** Documents of one batch, padded at the end to the longest of them. */
export class Batch {
  readonly sequence: number;

  constructor(
    readonly documents: readonly NumberedDocument[],
    readonly width: number,
  ) {
    this.sequence = documents.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  }

  get size(): number {
    return this.documents.length;
  }

  /** Scalars of one document's padded stream. */
  get stride(): number {
    return this.sequence * this.width;
  }

  /** One document's tokens of a stream [documents, sequence, width], padding cut off. */
  tokensOf(stream: Float32Array, document: number): Float32Array {
    const start = document * this.stride;
    return stream.subarray(start, start + this.documents[document]!.tokens.length * this.width);
  }

  /** Whether all real tokens of a stream are finite; padding does not count. */
  isFinite(stream: Float32Array): boolean {
    return this.documents.every((_, document) => {
      for (const value of this.tokensOf(stream, document)) {
        if (!Number.isFinite(value)) return false;
      }
      return true;
    });
  }
}
