import { describe, expect, it } from "vitest";
import { fillRademacher } from "../../../src/diagnosis/random";

function numbersOf(key: readonly number[], length = 4096): Float32Array {
  const numbers = new Float32Array(length);
  fillRademacher(numbers, key);
  return numbers;
}

/** Of n independent signs the mean is beyond 5/√n once in two million times. */
function meanProduct(a: Float32Array, b: Float32Array): number {
  return (a.reduce((sum, value, at) => sum + value * b[at]!, 0) / a.length) * Math.sqrt(a.length);
}

describe("Rademacher numbers", () => {
  it("are −1 or +1, about equally often", () => {
    const numbers = numbersOf([0, 0, 0, 0]);
    expect(new Set(numbers)).toEqual(new Set([-1, 1]));
    expect(Math.abs(meanProduct(numbers, new Float32Array(4096).fill(1)))).toBeLessThan(5);
  });

  it("belong to their key alone", () => {
    expect(numbersOf([1, 2, 3, 4])).toEqual(numbersOf([1, 2, 3, 4]));
    // A longer document begins with the same numbers.
    expect(numbersOf([1, 2, 3, 4], 100)).toEqual(numbersOf([1, 2, 3, 4]).subarray(0, 100));
  });

  it("of different seeds, layers, documents and probes are independent", () => {
    const keys = [
      [0, 0, 0, 0],
      [1, 0, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 1, 0],
      [0, 0, 0, 1],
      [0, 0, 1, 1],
      [2 ** 32, 0, 0, 0],
      [2 ** 53 - 1, 0, 0, 0],
    ];
    const all = keys.map((key) => numbersOf(key));
    for (const [at, a] of all.entries()) {
      for (const b of all.slice(at + 1)) expect(Math.abs(meanProduct(a, b))).toBeLessThan(5);
    }
  });

  it("have no pattern between neighbours", () => {
    const numbers = numbersOf([7, 1, 2, 3], 1 << 16);
    for (const lag of [1, 2, 31, 32, 33, 64]) {
      const product = meanProduct(numbers.subarray(0, -lag), numbers.subarray(lag));
      expect(Math.abs(product)).toBeLessThan(5);
    }
  });
});
