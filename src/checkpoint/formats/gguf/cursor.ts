/** Thrown where a header goes on beyond the bytes that were read of it. */
export class EndOfBytes extends Error {
  /** @param needed bytes from the file's beginning that the next step needs */
  constructor(readonly needed: number) {
    super(`needs ${needed} bytes`);
  }
}

/** Steps through little-endian values from the beginning of a file. */
export class Cursor {
  at = 0;

  /** @param fileBytes size of the file, of which `bytes` is a beginning */
  constructor(
    private readonly bytes: Buffer,
    private readonly fileBytes: number,
  ) {}

  /** Where a number of `width` bytes begins; steps over it. */
  private step(width: number): number {
    const from = this.at;
    if (from + width > this.bytes.length) throw new EndOfBytes(from + width);
    this.at = from + width;
    return from;
  }

  take(count: number): Buffer {
    const from = this.step(count);
    return this.bytes.subarray(from, from + count);
  }

  skip(count: number): void {
    this.step(count);
  }

  u8 = (): number => this.bytes.readUInt8(this.step(1));
  i8 = (): number => this.bytes.readInt8(this.step(1));
  u16 = (): number => this.bytes.readUInt16LE(this.step(2));
  i16 = (): number => this.bytes.readInt16LE(this.step(2));
  u32 = (): number => this.bytes.readUInt32LE(this.step(4));
  i32 = (): number => this.bytes.readInt32LE(this.step(4));
  u64 = (): bigint => this.bytes.readBigUInt64LE(this.step(8));
  i64 = (): bigint => this.bytes.readBigInt64LE(this.step(8));
  f32 = (): number => this.bytes.readFloatLE(this.step(4));
  f64 = (): number => this.bytes.readDoubleLE(this.step(8));

  /** A 64-bit count of things that take at least `least` bytes each: more than fit are refused. */
  count(what: string, least: number, fail: (what: string) => never): number {
    const from = this.step(8);
    // By halves: a header holds hundreds of thousands of them, and big integers are slow.
    const stated = this.bytes.readUInt32LE(from) + 2 ** 32 * this.bytes.readUInt32LE(from + 4);
    const left = this.fileBytes - this.at;
    if (stated * least > left) {
      const exactly = this.bytes.readBigUInt64LE(from).toString();
      fail(`states ${exactly} ${what}, more than the ${left} bytes that follow can hold`);
    }
    return stated;
  }

  /** A 64-bit length and as many bytes of UTF-8. */
  string(limit: number, fail: (what: string) => never): string {
    const length = this.count("bytes of text", 1, fail);
    if (length > limit) fail(`has a text of ${length} bytes where the limit is ${limit}`);
    return this.take(length).toString("utf8");
  }

  skipString(fail: (what: string) => never): void {
    this.skip(this.count("bytes of text", 1, fail));
  }
}
