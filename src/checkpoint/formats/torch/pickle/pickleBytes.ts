import { CheckpointError, quote } from "../../../errors";
import { limits } from "../../../limits";

/** The pickle goes on beyond the bytes at hand. */
export class PickleTruncated extends CheckpointError {}

/** Steps through the bytes of a pickle: numbers and texts as its opcodes are followed by. */
export class PickleBytes {
  /** @param file for messages */
  constructor(
    private readonly file: string,
    private readonly bytes: Buffer,
    public at: number,
  ) {}

  private take(length: number): number {
    const start = this.at;
    if (length > this.bytes.length - start) {
      throw new PickleTruncated("header", this.message("ends before it is complete"));
    }
    this.at += length;
    return start;
  }

  /** One byte: every opcode, and most of what follows one. */
  byte(): number {
    const at = this.at;
    if (at >= this.bytes.length) this.take(1);
    this.at = at + 1;
    return this.bytes[at]!;
  }

  unsigned(bytes: 1 | 2 | 4): number {
    if (bytes === 1) return this.byte();
    const at = this.take(bytes);
    return bytes === 2 ? this.bytes.readUInt16LE(at) : this.bytes.readUInt32LE(at);
  }

  /** A whole number of 32 bits. */
  signed(): number {
    return this.bytes.readInt32LE(this.take(4));
  }

  fraction(): number {
    return this.bytes.readDoubleBE(this.take(8));
  }

  /** A length of 64 bits. */
  long(): number {
    // What is rounded here is far beyond any file.
    return Number(this.bytes.readBigUInt64LE(this.take(8)));
  }

  text(length: number): string {
    const start = this.take(length);
    return this.bytes.toString("utf8", start, start + length);
  }

  raw(length: number): Uint8Array {
    const start = this.take(length);
    // A copy: a part would keep the whole pickle in memory.
    return Uint8Array.from(this.bytes.subarray(start, start + length));
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    const line = this.text((end < 0 ? this.bytes.length + 1 : end) - this.at);
    this.at++;
    return line.endsWith("\r") ? line.slice(0, -1) : line;
  }

  /** A whole number in two's complement, least byte first. */
  integer(length: number): number | bigint {
    if (length > limits.pickleIntegerBytes) {
      this.fail(`has a number of ${length} bytes; the limit is ${limits.pickleIntegerBytes}`);
    }
    // Most are short: sizes and steps.
    if (length > 0 && length <= 6) return this.bytes.readIntLE(this.take(length), length);
    const digits = Buffer.from(this.raw(length)).reverse().toString("hex");
    return narrowed(digits === "" ? 0n : BigInt.asIntN(8 * length, BigInt(`0x${digits}`)));
  }

  decimal(): number | bigint | boolean {
    const line = this.line().replace(/L$/, "");
    if (line === "00" || line === "01") return line === "01";
    if (line.length > limits.pickleIntegerBytes || !/^[+-]?\d+$/.test(line)) {
      this.fail(`has ${quote(line)} where a whole number should be`);
    }
    return narrowed(BigInt(line.replace(/^\+/, "")));
  }

  /** The number under which a value is stored. */
  index(): number {
    const line = this.line();
    if (!/^\d{1,15}$/.test(line)) {
      this.fail(`has ${quote(line)} where the number of a stored value should be`);
    }
    return Number(line);
  }

  decimalFraction(): number {
    const line = this.line();
    if (/^[+-]?nan$/i.test(line)) return Number.NaN;
    const infinite = /^([+-]?)inf$/i.exec(line);
    if (infinite) return infinite[1] === "-" ? -Infinity : Infinity;
    const value = Number(line);
    if (line.trim() === "" || Number.isNaN(value)) {
      this.fail(`has ${quote(line)} where a number should be`);
    }
    return value;
  }

  fail(what: string): never {
    throw new CheckpointError("header", this.message(what));
  }

  private message(what: string): string {
    return `${this.file}: its pickle ${what}.`;
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** Text of protocol 0, with Python's escapes. */
export function unescaped(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([nrt\\'"]))/g,
    (whole, four?: string, eight?: string, two?: string, letter?: string) => {
      const digits = four ?? eight ?? two;
      if (digits === undefined) return letters[letter!] ?? letter!;
      const point = parseInt(digits, 16);
      return point > 0x10ffff ? whole : String.fromCodePoint(point);
    },
  );
}

const letters: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };
