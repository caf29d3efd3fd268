import type { Part, Refuse } from "./parts";

/** The orders that norms may have, one where their names tell it. */
export function normOrders(norms: readonly Part[]): readonly (readonly Part[])[] {
  const isAround = norms.length === 4;
  for (const number of [lastNumber, /\d+/]) {
    const places = new Map(norms.map((norm) => [norm, placeOf(norm.path, isAround, number)]));
    const isTold = ![...places.values()].includes(undefined);
    if (isTold && new Set(places.values()).size === norms.length) {
      return [norms.toSorted((a, b) => places.get(a)! - places.get(b)!)];
    }
  }
  // As they are numbered, or were made; then the other way round, or first the norms of inputs and
  // then of outputs.
  const made = isAround ? numbered(norms) : norms;
  const [first, second, third, fourth] = made;
  if (norms.length === 2) return [made, [second!, first!]];
  return isAround ? [made, [first!, third!, second!, fourth!]] : [made];
}

/**
 * Where a norm stands among a layer's, as its name says; undefined where that says nothing.
 *
 * @param isAround whether each sublayer has a norm before and one after it
 * @param number where a name without words has one that says it: `norm2`, or `1.net.0` of two modules in a row
 */
function placeOf(path: string, isAround: boolean, number: RegExp): number | undefined {
  const isOfAttention = /attn|attention|(^|[._])(sa|msa|mha)([._]|$)|input/i.test(path);
  const isOfFeedForward = /ffn|ffwd|mlp|ff([._]|$)|(^|[._])fc([._]|$)|feed/i.test(path);
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
  return numberOf(path, number);
}

/** In the order of their numbers, where each has one of its own. */
function numbered(norms: readonly Part[]): readonly Part[] {
  const place = ({ path }: Part): number | undefined => numberOf(path, lastNumber);
  const numbers = new Set(norms.map(place));
  return numbers.size === norms.length && !numbers.has(undefined)
    ? norms.toSorted((a, b) => place(a)! - place(b)!)
    : norms;
}

const lastNumber = /\d+(?!.*\d)/;

function numberOf(path: string, pattern: RegExp): number | undefined {
  const number = pattern.exec(path);
  return number ? Number(number[0]) : undefined;
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

/** Whether a part is a norm of modules in a row, whose names are their places: weight and bias of one size. */
export function isNormInRow({ path, weight, bias }: Part, size: number): boolean {
  return /(^|\.)\d+$/.test(path) && bias !== undefined && String(weight.shape) === String([size]);
}

/** Whether a name is of a vector that LayerScale multiplies a sublayer's output by: `ls1`, `gamma_1`. */
function isLayerScaleName(path: string): boolean {
  return /(^|[._])(ls_?(\d|attn|attention|mlp|ffn?|ff)|layer_?scales?|gamma_?\d)([._\d]|$)/i.test(
    path,
  );
}

/** Vectors [hidden] of a layer by which a scheme scales each sublayer's branch, or the stream. */
export interface ScaleVectors {
  readonly attention: Part;
  readonly feedForward: Part;
  /** The schemes that they may be of: one where their names tell it. */
  readonly schemes: readonly ScaleScheme[];
}

export type ScaleScheme = "layerscale" | "admin";

/** Names of Admin's ω; `ratio_change` is what its authors call it. */
const isAdminName = /(^|[._])omega|_omega|ratio_change|(^|[._])admin([._]|$)/i;
/** Names of vectors that scale something, which of the two they do not say. */
const isScaleName = /scale|scaling|gamma|lambda|alpha|ratio|residual|skip|shortcut/i;

/**
 * The vectors among a layer's parts that scale its sublayers; undefined where there are none.
 *
 * @throws what `refuse` makes of such vectors that are not one for each of two sublayers
 */
export function scaleVectors(
  parts: readonly Part[],
  hidden: number,
  refuse: Refuse,
): ScaleVectors | undefined {
  const found = parts.filter((part) => {
    const { path, weight } = part;
    const isOfChannels = weight.shape.length === 1 && weight.shape[0] === hidden;
    const isNamed = isLayerScaleName(path) || isAdminName.test(path) || isScaleName.test(path);
    return isOfChannels && isNamed && !isNorm(part, hidden);
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
      "has in its layers vectors that scale, which are not, by their names, one for the attention and one for the feed-forward:",
    );
  }
  const all = (is: (path: string) => boolean): boolean => found.every(({ path }) => is(path));
  const schemes: readonly ScaleScheme[] = all(isLayerScaleName)
    ? ["layerscale"]
    : all((path) => isAdminName.test(path))
      ? ["admin"]
      : ["layerscale", "admin"];
  return { attention: attention!, feedForward: feedForward!, schemes };
}
