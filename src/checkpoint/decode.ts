import type { DataType } from "./dataType";
import { blockDecoders } from "./formats/gguf/blocks";
import { brain, half } from "./smallFloat";

/** Turns whole stored elements, little-endian, into float32. */
export type Decoder = (bytes: DataView, numbers: Float32Array) => void;

/** How the bytes of each type that can be a weight, or a factor of one, become numbers. */
export const decoders: Partial<Record<DataType, Decoder>> = {
  F64: each((bytes, at) => bytes.getFloat64(8 * at, true)),
  F32: each((bytes, at) => bytes.getFloat32(4 * at, true)),
  F16: each((bytes, at) => half(bytes.getUint16(2 * at, true))),
  BF16: each((bytes, at) => brain(bytes.getUint16(2 * at, true))),
  F8_E4M3: each(lookedUp(e4m3)),
  F8_E5M2: each(lookedUp(e5m2)),
  F8_E4M3FNUZ: each(lookedUp((bits) => unsignedZero(bits, 3))),
  F8_E5M2FNUZ: each(lookedUp((bits) => unsignedZero(bits, 2))),
  F8_E8M0: each(lookedUp(e8m0)),
  I8_GROUPS: each((bytes, at) => bytes.getInt8(at)),
  ...blockDecoders,
};

function each(read: (bytes: DataView, at: number) => number): Decoder {
  return (bytes, numbers) => {
    for (let at = 0; at < numbers.length; at++) numbers[at] = read(bytes, at);
  };
}

function lookedUp(value: (bits: number) => number): (bytes: DataView, at: number) => number {
  const table = Float32Array.from({ length: 256 }, (_, bits) => value(bits));
  return (bytes, at) => table[bytes.getUint8(at)]!;
}

/** Float8 of four exponent bits (bias 7): no infinities, all ones is not a number (arXiv 2209.05433). */
function e4m3(bits: number): number {
  const sign = bits & 0x80 ? -1 : 1;
  const exponent = (bits >> 3) & 0xf;
  const fraction = bits & 7;
  if (exponent === 0xf && fraction === 7) return Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -9;
  return sign * (8 + fraction) * 2 ** (exponent - 10);
}

/** Float8 of five exponent bits: the upper half of a binary16. */
function e5m2(bits: number): number {
  return half(bits << 8);
}

/**
 * Float8 of one zero, without infinities: the sign bit alone is not a number, and the exponent's bias
 * is one more than in the types of signed zeros (arXiv 2206.02915).
 */
function unsignedZero(bits: number, fractionBits: number): number {
  if (bits === 0x80) return Number.NaN;
  const sign = bits & 0x80 ? -1 : 1;
  const steps = 2 ** fractionBits;
  const exponent = (bits & 0x7f) >> fractionBits;
  const fraction = bits % steps;
  const bias = 2 ** (6 - fractionBits);
  if (exponent === 0) return sign * (fraction / steps) * 2 ** (1 - bias);
  return sign * (1 + fraction / steps) * 2 ** (exponent - bias);
}

/** Only an exponent (bias 127), as the factors of blocks are kept in: no zero, all ones is not a number. */
function e8m0(bits: number): number {
  return bits === 0xff ? Number.NaN : 2 ** (bits - 127);
}
