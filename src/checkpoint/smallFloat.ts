/** Floating-point numbers of 16 bits, from their bits. */

/** IEEE 754 binary16: one sign bit, five of exponent (bias 15), ten of fraction. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const wide = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
export function brain(bits: number): number {
  wide.setUint32(0, bits << 16);
  return wide.getFloat32(0);
}
