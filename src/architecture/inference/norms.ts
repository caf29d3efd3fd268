import type { Part, Refuse } from "./parts";

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
 * Whether a part is a norm: one number for each channel, under a name for a norm. A row of modules, such as
 * a head, names them by their places alone, of which the first is the norm: `to_logits.0`.
 */
export function isNorm({ path, weight }: Part, hidden: number): boolean {
  const isOfChannels = weight.shape.length === 1 && weight.shape[0] === hidden;
  const isBias = /(^|\.)(bias|beta|b)$/.test(weight.name);
  const isNamed =
    /norm|(^|[._\d])ln|ln([._\d]|$)|rms|^n\d$|sublayer/i.test(path) ||
    (path.endsWith(".0") && /\.(weight|gamma|g)$/.test(weight.name));
  return isOfChannels && isNamed && !isBias && !isLayerScaleName(path);
}

/** Whether a name is of a vector that LayerScale multiplies a sublayer's output by: `ls1`, `gamma_1`. */
function isLayerScaleName(path: string): boolean {
  return /(^|[._])(ls_?(\d|attn|attention|mlp|ffn?|ff)|layer_?scales?|gamma_?\d)([._\d]|$)/i.test(
    path,
  );
}

/** LayerScale's vectors [hidden] of a layer. */
export interface LayerScales {
  readonly attention: Part;
  readonly feedForward: Part;
}

/**
 * LayerScale's vectors among a layer's parts; undefined where there are none.
 *
 * @throws what `refuse` makes of vectors of that name that are not one for each of two sublayers
 */
export function layerScales(
  parts: readonly Part[],
  hidden: number,
  refuse: Refuse,
): LayerScales | undefined {
  const found = parts.filter(({ path, weight }) => {
    const isOfChannels = weight.shape.length === 1 && weight.shape[0] === hidden;
    return isOfChannels && isLayerScaleName(path);
  });
  if (found.length === 0) return undefined;
  // What LayerScale calls its own parameter has a number too: `layer_scale2.lambda1`.
  const named = found.map((part) => ({
    ...part,
    path: part.path.replace(/\.(lambda1|gamma_?1)$/, ""),
  }));
  const [ordered, ...others] = normOrders(named);
  const [attention, feedForward] = ordered!.map(({ weight }) =>
    found.find((part) => part.weight === weight),
  );
  const isEachOne = found.length === 2 && others.length === 0;
  if (!isEachOne || found.some(({ bias }) => bias !== undefined)) {
    throw refuse(
      found.flatMap(({ names }) => names),
      "has in its layers vectors of LayerScale that are not, by their names, one for the attention and one for the feed-forward:",
    );
  }
  return { attention: attention!, feedForward: feedForward! };
}
