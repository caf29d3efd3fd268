/**
 * ALiBi's slopes (arXiv 2108.12409), 2^(−8h/n) for head h = 1 … n where n is a power of two; otherwise
 * those of the power below, and then every other one of the power above (`build_alibi_tensor` of BLOOM
 * and Falcon in transformers).
 */
export function alibiSlopes(heads: number): number[] {
  const below = 2 ** Math.floor(Math.log2(heads));
  return [...geometric(below), ...geometric(2 * below).filter((_, index) => index % 2 === 0)].slice(
    0,
    heads,
  );
}

/**
 * MPT's order of them: of the power of two above, the even heads' and then the odd heads'
 * (`build_mpt_alibi_tensor` of transformers).
 */
export function mptSlopes(heads: number): number[] {
  const slopes = geometric(2 ** Math.ceil(Math.log2(heads)));
  if (slopes.length === heads) return slopes;
  const every = (remainder: number): number[] =>
    slopes.filter((_, index) => index % 2 === remainder);
  return [...every(1), ...every(0)].slice(0, heads);
}

/** 2^(−8h/count) for h = 1 … count. */
function geometric(count: number): number[] {
  return Array.from({ length: count }, (_, index) => 2 ** ((-8 * (index + 1)) / count));
}
