import fc from "fast-check";
import type { Sample } from "./samples";
import { bytesOf } from "./samples";

/** One change of a file. Places are fractions of its length, so that they mean something in every file. */
export type Mutation =
  | { readonly kind: "bit"; readonly place: number; readonly bit: number }
  | {
      readonly kind: "number";
      readonly place: number;
      readonly width: 1 | 4 | 8;
      readonly value: bigint;
    }
  | { readonly kind: "digits"; readonly place: number; readonly digits: string }
  | { readonly kind: "truncate"; readonly place: number }
  | { readonly kind: "lengthen"; readonly by: number }
  | {
      readonly kind: "copy";
      readonly place: number;
      readonly from: number;
      readonly length: number;
    }
  | { readonly kind: "remove"; readonly place: number; readonly length: number }
  | { readonly kind: "insert"; readonly place: number; readonly bytes: Uint8Array };

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
/** Sizes and counts at which arithmetic goes wrong. */
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 0x7fn, 0x80n, 0xffn, 0xffffn, 0x10000n, 2n ** 31n - 1n, 2n ** 31n),
  fc.constantFrom(2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 0n, max: 300n }),
);
/** The same in a header that is text, and what is no size there. */
const digits = fc.oneof(
  value.map(String),
  fc.constantFrom("-1", "-0", "1.5", "1e400", "1e21", "null", "[]", "{}", '""', "[[1]]"),
);
/** What means something where a header is text: names that objects have, ways out of a folder, depth. */
const words = fc.constantFrom(
  '"__proto__":{},',
  '"constructor":1,',
  '"__metadata__":{"a":"b"},',
  "../",
  "/etc/",
  "\\u0000",
  "{",
  "[".repeat(200),
  ",",
  "(1,",
  "\n",
);

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("bit" as const), place, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant("number" as const),
    place,
    width: fc.constantFrom(1 as const, 4 as const, 8 as const),
    value,
  }),
  fc.record({ kind: fc.constant("digits" as const), place, digits }),
  fc.record({ kind: fc.constant("truncate" as const), place }),
  fc.record({ kind: fc.constant("lengthen" as const), by: fc.nat(100) }),
  fc.record({ kind: fc.constant("copy" as const), place, from: place, length: fc.nat(64) }),
  fc.record({ kind: fc.constant("remove" as const), place, length: fc.nat(64) }),
  fc.record({
    kind: fc.constant("insert" as const),
    place,
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 16 }),
      words.map((word) => Buffer.from(word)),
    ),
  }),
);

/** A few changes; none now and then, so that what is valid stays read. */
export const mutations = fc.array(mutation, { maxLength: 4 });

export function mutated(sample: Sample, changes: readonly Mutation[]): Sample {
  return changes.reduce(changed, sample);
}

function changed(sample: Sample, change: Mutation): Sample {
  switch (change.kind) {
    case "bit":
      return spliced(sample, change.place, (end, at) => {
        const byte = Buffer.of((end[at] ?? 0) ^ (1 << change.bit));
        return { from: at, to: at + 1, bytes: byte };
      });
    case "number":
      return spliced(sample, change.place, (_, at) => {
        const number = Buffer.alloc(8);
        number.writeBigUInt64LE(change.value);
        return { from: at, to: at + change.width, bytes: number.subarray(0, change.width) };
      });
    case "digits":
      return spliced(sample, change.place, (end, at) => {
        const found = nextDigits(end, at);
        return { from: found.start, to: found.end, bytes: Buffer.from(change.digits) };
      });
    case "truncate":
      return truncated(sample, Math.floor(change.place * bytesOf(sample)));
    case "lengthen":
      return sample.tail.length > 0
        ? { ...sample, tail: Buffer.concat([sample.tail], sample.tail.length + change.by) }
        : { ...sample, gap: sample.gap + change.by };
    case "copy": {
      const { end, at } = placeIn(sample, change.from);
      const part = end.subarray(at, at + change.length);
      return spliced(sample, change.place, (_, to) => ({
        from: to,
        to: to + part.length,
        bytes: part,
      }));
    }
    case "remove":
      return spliced(sample, change.place, (_, at) => ({
        from: at,
        to: at + change.length,
        bytes: Buffer.alloc(0),
      }));
    case "insert":
      return spliced(sample, change.place, (_, at) => ({
        from: at,
        to: at,
        bytes: Buffer.from(change.bytes),
      }));
  }
}

function truncated(sample: Sample, bytes: number): Sample {
  const { head, gap, tail } = sample;
  return {
    ...sample,
    head: head.subarray(0, bytes),
    gap: Math.max(0, Math.min(gap, bytes - head.length)),
    tail: tail.subarray(0, Math.max(0, bytes - head.length - gap)),
  };
}

interface Splice {
  readonly from: number;
  readonly to: number;
  readonly bytes: Buffer;
}

/** A sample with some bytes of its head or its tail replaced by others. */
function spliced(
  sample: Sample,
  place: number,
  splice: (end: Buffer, at: number) => Splice,
): Sample {
  const { end, at } = placeIn(sample, place);
  const { from, to, bytes } = splice(end, at);
  const whole = Buffer.concat([end.subarray(0, from), bytes, end.subarray(to)]);
  return end === sample.head ? { ...sample, head: whole } : { ...sample, tail: whole };
}

function placeIn({ head, tail }: Sample, place: number): { end: Buffer; at: number } {
  const at = Math.floor(place * (head.length + tail.length));
  return at < head.length ? { end: head, at } : { end: tail, at: at - head.length };
}

/** The first decimal number from a place on. */
function nextDigits(text: Buffer, from: number): { start: number; end: number } {
  const isDigit = (at: number): boolean => text[at]! >= 0x30 && text[at]! <= 0x39;
  let start = from;
  while (start < text.length && !isDigit(start)) start++;
  let end = start;
  while (end < text.length && isDigit(end)) end++;
  return { start, end };
}
