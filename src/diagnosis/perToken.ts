/**
 * Quantities of single tokens, in double precision. Each function reads `tokens` rows of `width`
 * channels from row-major arrays and returns one number a token.
 */

/** Population variance over the channels. */
export function variances(x: Float32Array, tokens: number, width: number): Float64Array {
  return perToken(tokens, (token) => {
    const start = token * width;
    let sum = 0;
    for (let at = start; at < start + width; at++) sum += x[at]!;
    const mean = sum / width;
    let squares = 0;
    for (let at = start; at < start + width; at++) squares += (x[at]! - mean) ** 2;
    return squares / width;
  });
}

/** ⟨a, b⟩ / (‖a‖ ‖b‖); 0 where either is zero, since it then points nowhere. */
export function cosines(
  a: Float32Array,
  b: Float32Array,
  tokens: number,
  width: number,
): Float64Array {
  return perToken(tokens, (token) => {
    const { aa, bb, ab } = products(a, b, token * width, width);
    return aa === 0 || bb === 0 ? 0 : ab / Math.sqrt(aa * bb);
  });
}

/** ‖a‖ / ‖b‖, of the tokens where b is not zero. */
export function normRatios(
  a: Float32Array,
  b: Float32Array,
  tokens: number,
  width: number,
): Float64Array {
  const ratios = perToken(tokens, (token) => {
    const { aa, bb } = products(a, b, token * width, width);
    return bb === 0 ? Number.NaN : Math.sqrt(aa / bb);
  });
  return ratios.filter((ratio) => !Number.isNaN(ratio));
}

/** ‖a‖², ‖b‖², ⟨a, b⟩ and ‖a − b‖² of two whole arrays. */
export interface InnerProducts {
  readonly aa: number;
  readonly bb: number;
  readonly ab: number;
  readonly distance: number;
}

export function innerProducts(a: Float32Array, b: Float32Array): InnerProducts {
  let distance = 0;
  for (let at = 0; at < a.length; at++) distance += (a[at]! - b[at]!) ** 2;
  return { ...products(a, b, 0, a.length), distance };
}

function products(
  a: Float32Array,
  b: Float32Array,
  start: number,
  length: number,
): { aa: number; bb: number; ab: number } {
  let aa = 0;
  let bb = 0;
  let ab = 0;
  for (let at = start; at < start + length; at++) {
    const left = a[at]!;
    const right = b[at]!;
    aa += left * left;
    bb += right * right;
    ab += left * right;
  }
  return { aa, bb, ab };
}

function perToken(tokens: number, quantity: (token: number) => number): Float64Array {
  const values = new Float64Array(tokens);
  for (let token = 0; token < tokens; token++) values[token] = quantity(token);
  return values;
}
