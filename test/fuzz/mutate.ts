import fc from "fast-check";

/** A valid file: what it begins with, and how long it is; the rest is zeros that no disk holds. */
export interface Sample {
  readonly head: Buffer;
  readonly bytes: number;
}

/** One change of a file. Places are fractions of its length, so that they mean something in every file. */
export type Mutation =
  | { readonly kind: "bit"; readonly place: number; readonly bit: number }
  | {
      readonly kind: "number";
      readonly place: number;
      readonly width: 1 | 4 | 8;
      readonly value: bigint;
    }
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

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant("bit" as const), place, bit: fc.nat(7) }),
  fc.record({
    kind: fc.constant("number" as const),
    place,
    width: fc.constantFrom(1 as const, 4 as const, 8 as const),
    value,
  }),
  fc.record({ kind: fc.constant("truncate" as const), place }),
  fc.record({ kind: fc.constant("lengthen" as const), by: fc.nat(100) }),
  fc.record({ kind: fc.constant("copy" as const), place, from: place, length: fc.nat(64) }),
  fc.record({ kind: fc.constant("remove" as const), place, length: fc.nat(64) }),
  fc.record({
    kind: fc.constant("insert" as const),
    place,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
  }),
);

/** A few changes; none now and then, so that what is valid stays read. */
export const mutations = fc.array(mutation, { maxLength: 4 });

export function mutated(sample: Sample, changes: readonly Mutation[]): Sample {
  let { head, bytes } = sample;
  for (const change of changes) {
    const rest = bytes - head.length;
    switch (change.kind) {
      case "bit": {
        head = Buffer.from(head);
        const at = placeIn(head, change.place);
        if (at < head.length) head[at]! ^= 1 << change.bit;
        break;
      }
      case "number": {
        const number = Buffer.alloc(8);
        number.writeBigUInt64LE(change.value);
        head = Buffer.from(head);
        number.copy(head, placeIn(head, change.place), 0, change.width);
        break;
      }
      case "truncate":
        bytes = Math.floor(change.place * bytes);
        head = head.subarray(0, bytes);
        break;
      case "lengthen":
        bytes += change.by;
        break;
      case "copy": {
        const from = placeIn(head, change.from);
        const part = Buffer.from(head.subarray(from, from + change.length));
        head = Buffer.from(head);
        part.copy(head, placeIn(head, change.place));
        break;
      }
      case "remove": {
        const at = placeIn(head, change.place);
        head = Buffer.concat([head.subarray(0, at), head.subarray(at + change.length)]);
        bytes = head.length + rest;
        break;
      }
      case "insert": {
        const at = placeIn(head, change.place);
        head = Buffer.concat([head.subarray(0, at), change.bytes, head.subarray(at)]);
        bytes = head.length + rest;
        break;
      }
    }
  }
  return { head, bytes };
}

function placeIn(head: Buffer, place: number): number {
  return Math.floor(place * head.length);
}
