import type { Attention, Linear, Norm, Rotary } from "../architecture/description";
import type { GraphBuilder, Value } from "./graph";
import { linear, normalised, normalisedEach, relu, scaled } from "./modules";

/** Names of what an attention is fed besides the stream; each only where it is used. */
export const attentionInputs = {
  /** Cosines and sines of the rotary angles [sequence, pairs]. */
  cosine: "cosine",
  sine: "sine",
  /**
   * Added to the attention scores, 0 where a token may attend: [sequence, sequence], or with ALiBi's
   * slopes [keyValueHeads, groups, sequence, sequence].
   */
  mask: "mask",
  /** Added to the scores of padding [batch, 1, 1, 1, sequence], where a token may attend to later ones. */
  padding: "padding",
} as const;

/** softmax(scale · q kᵀ + mask) v, each key-value head shared by a group of query heads. */
export function attention(builder: GraphBuilder, x: Value, module: Attention): Value {
  const { heads, keyValueHeads, headSize, valueSize, queryNorm, keyNorm, normsSpan, headNorms } =
    module;
  const groups = heads / keyValueHeads;
  const split = (value: Value, perKey: number, size: number): Value =>
    builder.reshape(value, ["batch", "sequence", keyValueHeads, perKey, size]);
  // [batch, keyValueHeads, groups or 1, sequence, headSize]
  const headsFirst = (value: Value): Value => builder.transpose(value, [0, 2, 3, 1, 4]);
  const clamp = (projection: Linear): Value =>
    clamped(builder, linear(builder, x, projection), module.clip);
  const projected = (
    projection: Linear,
    norm: Norm | undefined,
    each: readonly Norm[] | undefined,
    perKey: number,
  ): Value => {
    const all = clamp(projection);
    if (each) return normalisedEach(builder, split(all, perKey, headSize), each);
    return normsSpan === "heads"
      ? split(normalised(builder, all, norm), perKey, headSize)
      : normalised(builder, split(all, perKey, headSize), norm);
  };
  const rotated = rotation(builder, module.rotary);
  const query = rotated(headsFirst(projected(module.query, queryNorm, headNorms?.query, groups)));
  const key = rotated(headsFirst(projected(module.key, keyNorm, headNorms?.key, 1)));
  const value = headsFirst(split(clamp(module.value), 1, valueSize));
  const scores = builder.apply("MatMul", [
    scaled(builder, query, module.scale),
    builder.transpose(key, [0, 1, 2, 4, 3]),
  ]);
  const weights = builder.apply("Softmax", [
    masked(builder, capped(builder, scores, module.softcap), module),
  ]);
  const mixed = builder.apply("MatMul", [weights, value]);
  const joined = builder.reshape(builder.transpose(mixed, [0, 3, 1, 2, 4]), [
    "batch",
    "sequence",
    heads * valueSize,
  ]);
  return linear(builder, joined, module.output);
}

/** x no further from 0 than the limit: x − max(x − limit, 0) + max(−x − limit, 0). */
function clamped(builder: GraphBuilder, x: Value, limit: number | undefined): Value {
  if (limit === undefined) return x;
  const beyond = (side: Value): Value =>
    relu(builder, builder.apply("Sub", [side, builder.scalar(limit)]));
  const above = builder.apply("Sub", [x, beyond(x)]);
  return builder.add(above, beyond(builder.apply("Neg", [x])));
}

/** cap · tanh(x / cap), or x without a cap. */
export function capped(builder: GraphBuilder, x: Value, cap: number | undefined): Value {
  if (cap === undefined) return x;
  return scaled(builder, builder.apply("Tanh", [scaled(builder, x, 1 / cap)]), cap);
}

function masked(builder: GraphBuilder, scores: Value, module: Attention): Value {
  const { heads, keyValueHeads } = module;
  const perHead = module.slopes ? [keyValueHeads, heads / keyValueHeads] : [];
  const bias = isMasked(module)
    ? builder.add(
        scores,
        builder.input(attentionInputs.mask, {
          elementType: "float32",
          shape: [...perHead, "sequence", "sequence"],
        }),
      )
    : scores;
  if (!module.isBidirectional) return bias;
  const padding = builder.input(attentionInputs.padding, {
    elementType: "float32",
    shape: ["batch", 1, 1, 1, "sequence"],
  });
  return builder.add(bias, padding);
}

/** Turns each pair of channels by its position's angle; channels beyond the pairs pass. */
function rotation(builder: GraphBuilder, rotary: Rotary | undefined): (x: Value) => Value {
  if (rotary === undefined) return (x) => x;
  const pairs = rotary.inverseFrequencies.length;
  const angles = { elementType: "float32", shape: ["sequence", pairs] } as const;
  const cosine = builder.input(attentionInputs.cosine, angles);
  const sine = builder.input(attentionInputs.sine, angles);
  const slice = (x: Value, start: number, end: number): Value =>
    builder.apply("Slice", [x], { axis: -1, start, end });
  const concat = (parts: Value[]): Value => builder.apply("Concat", parts, { axis: -1 });
  const turned = (first: Value, second: Value, along: (table: Value) => Value): Value => {
    const [c, s] = [along(cosine), along(sine)];
    const times = builder.multiply.bind(builder);
    return concat([
      builder.apply("Sub", [times(first, c), times(second, s)]),
      builder.add(times(second, c), times(first, s)),
    ]);
  };
  const rotate = {
    halves: (x: Value) => turned(slice(x, 0, pairs), slice(x, pairs, 2 * pairs), (table) => table),
    neighbours: (x: Value) => {
      const inPairs = builder.reshape(x, [...x.type.shape.slice(0, -1), pairs, 2]);
      const together = turned(slice(inPairs, 0, 1), slice(inPairs, 1, 2), (table) =>
        builder.reshape(table, ["sequence", pairs, 1]),
      );
      return builder.reshape(together, x.type.shape);
    },
  }[rotary.pairing];
  return (x) => {
    const size = x.type.shape.at(-1) as number;
    if (size === 2 * pairs) return rotate(x);
    return concat([rotate(slice(x, 0, 2 * pairs)), slice(x, 2 * pairs, size)]);
  };
}

/** Numbers to feed, row-major. */
export interface Feed {
  readonly type: "float32";
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** What an attention is fed for sequences of this many tokens, padding aside. */
export function attentionFeeds(module: Attention, sequence: number): Record<string, Feed> {
  const { rotary, heads, keyValueHeads, slopes } = module;
  const feeds: Record<string, Feed> = {};
  if (rotary) {
    const { cosine, sine } = rotaryTables(rotary, sequence);
    const shape = [sequence, rotary.inverseFrequencies.length];
    feeds[attentionInputs.cosine] = { type: "float32", data: cosine, shape };
    feeds[attentionInputs.sine] = { type: "float32", data: sine, shape };
  }
  if (isMasked(module)) {
    const perHead = slopes ? [keyValueHeads, heads / keyValueHeads] : [];
    const shape = [...perHead, sequence, sequence];
    feeds[attentionInputs.mask] = { type: "float32", data: maskOf(module, sequence), shape };
  }
  return feeds;
}

/** What keeps padding out of the attention of these sequences, padded to the same length. */
export function paddingFeed(lengths: readonly number[], padded: number): Feed {
  const data = new Float32Array(lengths.length * padded);
  for (const [row, length] of lengths.entries()) {
    data.fill(hidden, row * padded + length, (row + 1) * padded);
  }
  return { type: "float32", data, shape: [lengths.length, 1, 1, 1, padded] };
}

/** Masked scores are finite: shader compilers may assume that infinities are not. */
const hidden = -1e30;

function isMasked({ isBidirectional, slopes, window }: Attention): boolean {
  return !isBidirectional || slopes !== undefined || window !== undefined;
}

/** Cosines and sines of position × frequency, times the magnitude, row-major [sequence, pairs]. */
export function rotaryTables(
  { inverseFrequencies, magnitude }: Pick<Rotary, "inverseFrequencies" | "magnitude">,
  sequence: number,
): { cosine: Float32Array; sine: Float32Array } {
  const pairs = inverseFrequencies.length;
  const cosine = new Float32Array(sequence * pairs);
  const sine = new Float32Array(sequence * pairs);
  for (let position = 0; position < sequence; position++) {
    for (let pair = 0; pair < pairs; pair++) {
      const angle = position * inverseFrequencies[pair]!;
      cosine[position * pairs + pair] = magnitude * Math.cos(angle);
      sine[position * pairs + pair] = magnitude * Math.sin(angle);
    }
  }
  return { cosine, sine };
}

/**
 * What is added to the scores, row-major [heads or 1, query, key]. Padding stands at the end of a row,
 * so no real token of a causal attention attends to it.
 */
export function maskOf(
  {
    isBidirectional,
    window,
    slopes,
    roundedSlopeFactor: factor,
  }: Pick<Attention, "isBidirectional" | "window" | "slopes" | "roundedSlopeFactor">,
  sequence: number,
): Float32Array {
  const perHead = slopes ?? [0];
  const mask = new Float32Array(perHead.length * sequence * sequence);
  for (const [head, slope] of perHead.entries()) {
    const rounded =
      factor === undefined
        ? undefined
        : Array.from(
            mask.subarray(0, sequence),
            (_, key) => factor * bfloat16(bfloat16(slope) * key),
          );
    for (let query = 0; query < sequence; query++) {
      const oldest = window === undefined ? 0 : query - window + 1;
      const start = (head * sequence + query) * sequence;
      for (let key = 0; key < sequence; key++) {
        const isHidden = (key > query && !isBidirectional) || key < oldest;
        const distance = isBidirectional ? -Math.abs(key - query) : key - query;
        // The same number added to a whole row changes nothing.
        const bias = rounded ? rounded[key]! - rounded[query]! : slope * distance;
        mask[start + key] = isHidden ? hidden : bias;
      }
    }
  }
  return mask;
}

/** The nearest bfloat16, ties to even. */
function bfloat16(value: number): number {
  const single = new Float32Array([value]);
  const bits = new Uint32Array(single.buffer);
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
  return single[0]!;
}
