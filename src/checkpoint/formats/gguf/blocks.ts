import { stored } from "../../dataType";
import type { DataType } from "../../dataType";
import type { Decoder } from "../../decode";
import { half } from "../../smallFloat";

/**
 * How the blocks of ggml become numbers, written from the layouts in its ggml-common.h and the
 * formulas of its dequantize functions (https://github.com/ggml-org/ggml). Every product below is
 * exact in double precision, so that a number is rounded once, to float32, as ggml rounds it.
 */
export const blockDecoders = {
  Q4_0: blocks("Q4_0", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 2 + i]!;
      numbers[to + i] = d * ((q & 15) - 8);
      numbers[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }),

  Q4_1: blocks("Q4_1", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    const m = halfAt(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 4 + i]!;
      numbers[to + i] = d * (q & 15) + m;
      numbers[to + 16 + i] = d * (q >> 4) + m;
    }
  }),

  /** The fifth bits of all 32 numbers stand together in a word of their own. */
  Q5_0: blocks("Q5_0", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 6 + i]!;
      numbers[to + i] = d * (((q & 15) | (bitOf(bytes, at + 2, i) << 4)) - 16);
      numbers[to + 16 + i] = d * (((q >> 4) | (bitOf(bytes, at + 2, 16 + i) << 4)) - 16);
    }
  }),

  Q5_1: blocks("Q5_1", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    const m = halfAt(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 8 + i]!;
      numbers[to + i] = d * ((q & 15) | (bitOf(bytes, at + 4, i) << 4)) + m;
      numbers[to + 16 + i] = d * ((q >> 4) | (bitOf(bytes, at + 4, 16 + i) << 4)) + m;
    }
  }),

  Q8_0: blocks("Q8_0", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    for (let i = 0; i < 32; i++) numbers[to + i] = d * signed(bytes[at + 2 + i]!);
  }),

  /** Sixteen groups of 16 numbers of two bits; a group's scale and minimum are four bits each. */
  Q2_K: blocks("Q2_K", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at + 80);
    const least = halfAt(bytes, at + 82);
    for (let group = 0; group < 16; group++) {
      const scale = bytes[at + group]!;
      const dl = d * (scale & 15);
      const ml = least * (scale >> 4);
      const from = at + 16 + quarterByte(group);
      const shift = quarterShift(group);
      for (let i = 0; i < 16; i++) {
        numbers[to + 16 * group + i] = dl * ((bytes[from + i]! >> shift) & 3) - ml;
      }
    }
  }),

  /** As Q2_K, with a third bit in a mask (set: nothing is subtracted) and scales of six bits. */
  Q3_K: blocks("Q3_K", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at + 108);
    for (let group = 0; group < 16; group++) {
      const dl = d * (scaleOfQ3(bytes, at + 96, group) - 32);
      const from = at + 32 + quarterByte(group);
      const shift = quarterShift(group);
      const mask = at + 16 * (group % 2);
      const bit = group >> 1;
      for (let i = 0; i < 16; i++) {
        const low = (bytes[from + i]! >> shift) & 3;
        const subtracted = (bytes[mask + i]! >> bit) & 1 ? 0 : 4;
        numbers[to + 16 * group + i] = dl * (low - subtracted);
      }
    }
  }),

  /** Eight groups of 32 numbers; a group's scale and minimum are six bits each. */
  Q4_K: blocks("Q4_K", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    const least = halfAt(bytes, at + 2);
    for (let group = 0; group < 8; group++) {
      const dl = d * scaleOfQ4(bytes, at + 4, group);
      const ml = least * minimumOfQ4(bytes, at + 4, group);
      const from = at + 16 + 32 * (group >> 1);
      const shift = 4 * (group % 2);
      for (let i = 0; i < 32; i++) {
        numbers[to + 32 * group + i] = dl * ((bytes[from + i]! >> shift) & 15) - ml;
      }
    }
  }),

  Q5_K: blocks("Q5_K", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    const least = halfAt(bytes, at + 2);
    for (let group = 0; group < 8; group++) {
      const dl = d * scaleOfQ4(bytes, at + 4, group);
      const ml = least * minimumOfQ4(bytes, at + 4, group);
      const from = at + 48 + 32 * (group >> 1);
      const shift = 4 * (group % 2);
      for (let i = 0; i < 32; i++) {
        const low = (bytes[from + i]! >> shift) & 15;
        const high = (bytes[at + 16 + i]! >> group) & 1;
        numbers[to + 32 * group + i] = dl * (low | (high << 4)) - ml;
      }
    }
  }),

  /** Two halves of 128 numbers, each four rows of 32: low four bits, then two high bits beside. */
  Q6_K: blocks("Q6_K", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at + 208);
    for (let group = 0; group < 16; group++) {
      const dl = d * signed(bytes[at + 192 + group]!);
      const part = group >> 3;
      const row = (group >> 1) & 3;
      const column = 16 * (group & 1);
      const low = at + 64 * part + 32 * (row & 1) + column;
      const high = at + 128 + 32 * part + column;
      for (let i = 0; i < 16; i++) {
        const bits = (bytes[low + i]! >> (row < 2 ? 0 : 4)) & 15;
        const upper = (bytes[high + i]! >> (2 * row)) & 3;
        numbers[to + 16 * group + i] = dl * ((bits | (upper << 4)) - 32);
      }
    }
  }),

  /** As Q4_0, but four bits choose among sixteen unevenly spaced values. */
  IQ4_NL: blocks("IQ4_NL", (bytes, at, numbers, to) => {
    const d = halfAt(bytes, at);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 2 + i]!;
      numbers[to + i] = d * unevenValues[q & 15]!;
      numbers[to + 16 + i] = d * unevenValues[q >> 4]!;
    }
  }),
} satisfies Partial<Record<DataType, Decoder>>;

const unevenValues = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** @param decode writes the numbers of the block that begins at byte `at`, from place `to` on */
function blocks(
  dataType: DataType,
  decode: (bytes: Uint8Array, at: number, numbers: Float32Array, to: number) => void,
): Decoder {
  const { bits, block = 1 } = stored(dataType);
  return (view, numbers) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    for (let at = 0, to = 0; to < numbers.length; at += bits / 8, to += block) {
      decode(bytes, at, numbers, to);
    }
  };
}

function halfAt(bytes: Uint8Array, at: number): number {
  return half(bytes[at]! | (bytes[at + 1]! << 8));
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

function bitOf(bytes: Uint8Array, at: number, bit: number): number {
  return (bytes[at + (bit >> 3)]! >> (bit & 7)) & 1;
}

/** Where a group of 16 two-bit numbers begins: eight groups share 32 bytes, two bits each in turn. */
function quarterByte(group: number): number {
  return 32 * (group >> 3) + 16 * (group & 1);
}

function quarterShift(group: number): number {
  return 2 * ((group >> 1) & 3);
}

/** Sixteen scales in 12 bytes: four low bits in the first eight, two high bits in the last four. */
function scaleOfQ3(bytes: Uint8Array, at: number, group: number): number {
  const low = (bytes[at + (group & 7)]! >> (group < 8 ? 0 : 4)) & 15;
  const high = (bytes[at + 8 + (group & 3)]! >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}

/**
 * Eight scales and eight minima of six bits in 12 bytes: those of groups 0 to 3 in the low bits of
 * bytes 0 to 3 and 4 to 7, whose two high bits complete the four bits of groups 4 to 7 in the last.
 */
function scaleOfQ4(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + group]! & 63;
  return (bytes[at + 4 + group]! & 15) | ((bytes[at + group - 4]! >> 6) << 4);
}

function minimumOfQ4(bytes: Uint8Array, at: number, group: number): number {
  if (group < 4) return bytes[at + 4 + group]! & 63;
  return (bytes[at + 4 + group]! >> 4) | ((bytes[at + group]! >> 6) << 4);
}
