/**
 * Random numbers that belong to a key alone (seed, document, probe …), so that results do not depend on
 * how the work is batched.
 *
 * The generator is sfc32 of PractRand (Chris Doty-Humphrey), the key mixed in by rounds of it.
 */

/** Fills an array with Rademacher numbers, −1 or +1 with equal chance. */
export function fillRademacher(target: Float32Array, key: readonly number[]): void {
  const next = generator(key);
  for (let start = 0; start < target.length; start += 32) {
    const end = Math.min(target.length, start + 32);
    let bits = next();
    for (let at = start; at < end; at++) {
      target[at] = bits & 1 ? 1 : -1;
      bits >>>= 1;
    }
  }
}

/** Numbers from 0 to 1, evenly spread. */
export function randomShare(count: number, key: readonly number[]): number[] {
  const next = generator(key);
  return Array.from({ length: count }, () => (next() >>> 0) / 2 ** 32);
}

/** Draws 32 random bits at each call. */
function generator(key: readonly number[]): () => number {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum;
  };
  for (const part of key) {
    a ^= part | 0;
    b ^= Math.floor(part / 2 ** 32) | 0;
    for (let round = 0; round < 15; round++) next();
  }
  return next;
}
