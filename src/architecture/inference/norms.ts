import type { Part } from "./parts";

/** The orders that norms may have, one where their names tell it. */
export function normOrders(norms: readonly Part[]): readonly (readonly Part[])[] {
  const isAround = norms.length === 4;
  const places = norms.map(({ path }) => placeOf(path, isAround));
  if (places.every((place) => place !== undefined) && new Set(places).size === norms.length) {
    return [norms.toSorted((a, b) => placeOf(a.path, isAround)! - placeOf(b.path, isAround)!)];
  }
  // As they were made; then the other way round, or first the norms of inputs and then of outputs.
  const [first, second, third, fourth] = norms;
  if (norms.length === 2) return [norms, [second!, first!]];
  return isAround ? [norms, [first!, third!, second!, fourth!]] : [norms];
}

/**
 * Where a norm stands among a layer's, as its name says; undefined where that says nothing.
 *
 * @param isAround whether each sublayer has a norm before and one after it
 */
function placeOf(path: string, isAround: boolean): number | undefined {
  const isOfAttention = /attn|attention|(^|[._])(sa|msa|mha)([._]|$)|input/i.test(path);
  const isOfFeedForward = /ffn|ffwd|mlp|ff([._]|$)|feed/i.test(path);
  if (isAround) {
    const isAfter = /post|after|out/i.test(path);
    if (isOfAttention === isOfFeedForward) return undefined;
    return (isOfFeedForward ? 2 : 0) + (isAfter ? 1 : 0);
  }
  // The LLaMA lineage calls the feed-forward's by what it comes after.
  if (/post_?(attention|attn)_?(layer_?)?norm/i.test(path)) return 2;
  // Between the two.
  if (/cross|encoder_attn|multihead_attn/i.test(path)) return 1.5;
  if (isOfAttention) return 1;
  if (isOfFeedForward) return 2;
  const number = /(\d+)(?!.*\d)/.exec(path);
  return number ? Number(number[1]) : undefined;
}

/**
 * Whether a part is a norm: one number for each channel, under a name for a norm. A head of modules in a
 * row names them by their places alone, of which the first is the norm: `to_logits.0`.
 */
export function isNorm({ path, weight }: Part, hidden: number): boolean {
  const isOfChannels = weight.shape.length === 1 && weight.shape[0] === hidden;
  const isBias = /(^|\.)(bias|beta|b)$/.test(weight.name);
  const isNamed =
    /norm|(^|[._\d])ln|ln([._\d]|$)|rms|^n\d$|sublayer/i.test(path) ||
    (path.endsWith(".0") && weight.name.endsWith(".weight"));
  return (
    isOfChannels && isNamed && !isBias && !/(^|[._])(ls_?\d|layer_?scale|gamma_\d)/i.test(path)
  );
}
