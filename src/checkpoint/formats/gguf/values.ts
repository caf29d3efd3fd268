import { quote } from "../../errors";
import { limits } from "../../limits";
import type { Cursor } from "./cursor";

/** 64-bit integers are numbers where exact, else their digits. */
export type GgufValue = number | boolean | string | GgufValue[];

/** How many items of arrays a header's values hold that are kept, counted before they are read. */
export class ItemCount {
  private items = 0;

  /** @throws what `fail` throws where they are more than the limit */
  add(items: number, fail: (what: string) => never): void {
    this.items += items;
    if (this.items > limits.ggufItems) {
      fail(
        `takes the items of the header's arrays to ${this.items}; the limit is ${limits.ggufItems}`,
      );
    }
  }
}

/** The metadata value types of the specification, in their order there. */
const types: readonly ValueType[] = [
  scalar("uint8", 1, (cursor) => cursor.u8()),
  scalar("int8", 1, (cursor) => cursor.i8()),
  scalar("uint16", 2, (cursor) => cursor.u16()),
  scalar("int16", 2, (cursor) => cursor.i16()),
  scalar("uint32", 4, (cursor) => cursor.u32()),
  scalar("int32", 4, (cursor) => cursor.i32()),
  scalar("float32", 4, (cursor) => cursor.f32()),
  scalar("bool", 1, (cursor) => cursor.u8() !== 0),
  {
    name: "string",
    least: 8,
    read: (cursor, { fail }) => cursor.string(limits.ggufTextBytes, fail),
    skip: (cursor, { fail }) => {
      cursor.skipString(fail);
    },
  },
  {
    // The type of the items, their number, and one after another.
    name: "array",
    least: 12,
    read: readArray,
    skip: skipArray,
  },
  scalar("uint64", 8, (cursor) => exact(cursor.u64())),
  scalar("int64", 8, (cursor) => exact(cursor.i64())),
  scalar("float64", 8, (cursor) => cursor.f64()),
];

interface ValueType {
  readonly name: string;
  /** Bytes that one takes at least; exactly, where `isFixed`. */
  readonly least: number;
  readonly isFixed?: boolean;
  readonly read: (cursor: Cursor, context: Context) => GgufValue | undefined;
  readonly skip: (cursor: Cursor, context: Context) => void;
}

interface Context {
  /** The most items to keep; undefined where arrays are not kept. */
  readonly most: number | undefined;
  /** Of the whole header. */
  readonly kept: ItemCount;
  /** Items of the arrays that this one lies in, those read so far beside it included. */
  readonly around: { items: number };
  /** How many arrays it lies in. */
  readonly depth: number;
  readonly fail: (what: string) => never;
}

/**
 * A value with its type before it.
 *
 * @param most items of an array and all arrays in it that are kept; undefined where none is
 * @param kept counts them over a header
 * @returns undefined where it is an array that is not to be kept, which was passed over
 */
export function readValue(
  cursor: Cursor,
  key: string,
  most: number | undefined,
  kept: ItemCount,
  failHere: (what: string) => never,
): GgufValue | undefined {
  const fail = (what: string): never => failHere(`metadata ${quote(key)}: ${what}`);
  const context = { most, kept, around: { items: 0 }, depth: 0, fail };
  return typeOf(cursor, fail).read(cursor, context);
}

function typeOf(cursor: Cursor, fail: (what: string) => never): ValueType {
  const id = cursor.u32();
  return types[id] ?? fail(`is of type ${id}; the types end at ${types.length - 1}`);
}

function readArray(cursor: Cursor, context: Context): GgufValue | undefined {
  const { item, length, inside } = arrayHead(cursor, context);
  const { most, kept, around, depth, fail } = context;
  const items = around.items + length;
  if (most === undefined || items > most) {
    // What lies in an array that is kept cannot be left out of it.
    if (depth > 0) fail(`holds ${items} items in arrays in arrays; the limit is ${most ?? 0}`);
    skipItems(cursor, item, length, inside);
    return undefined;
  }
  kept.add(length, fail);
  around.items = items;
  const values: GgufValue[] = [];
  for (let at = 0; at < length; at++) {
    values.push(item.read(cursor, inside)!);
  }
  return values;
}

function skipArray(cursor: Cursor, context: Context): void {
  const { item, length, inside } = arrayHead(cursor, context);
  skipItems(cursor, item, length, inside);
}

function skipItems(cursor: Cursor, item: ValueType, length: number, inside: Context): void {
  if (item.isFixed) cursor.skip(length * item.least);
  else for (let at = 0; at < length; at++) item.skip(cursor, inside);
}

function arrayHead(
  cursor: Cursor,
  context: Context,
): { item: ValueType; length: number; inside: Context } {
  const { depth, fail } = context;
  if (depth >= limits.ggufArrayDepth) {
    fail(`has arrays in arrays, more than ${limits.ggufArrayDepth} deep`);
  }
  const item = typeOf(cursor, fail);
  const length = cursor.count(`items of type ${item.name}`, item.least, fail);
  return { item, length, inside: { ...context, depth: depth + 1 } };
}

function scalar(
  name: string,
  bytes: number,
  read: (cursor: Cursor) => number | boolean | string,
): ValueType {
  return {
    name,
    least: bytes,
    isFixed: true,
    read,
    skip: (cursor) => {
      cursor.skip(bytes);
    },
  };
}

function exact(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}
