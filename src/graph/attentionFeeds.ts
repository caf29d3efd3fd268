import type { Attention, RelativeBias, Rotary } from "../architecture/description";
import { attentionInputs, isMasked } from "./attention";

/** What an attention is fed for sequences of this many tokens, padding aside. */
export function attentionFeeds(
  module: Attention,
  sequence: number,
): Record<string, Feed | RowFeed> {
  const { rotary, heads, keyValueHeads, slopes, relativeBias } = module;
  const feeds: Record<string, Feed | RowFeed> = {};
  const feedAngles = (turning: Rotary, names: { cosine: string; sine: string }): void => {
    const { cosine, sine } = rotaryTables(turning, sequence);
    const shape = [sequence, turning.inverseFrequencies.length];
    feeds[names.cosine] = { type: "float32", data: cosine, shape };
    feeds[names.sine] = { type: "float32", data: sine, shape };
  };
  if (rotary) feedAngles(rotary, attentionInputs);
  if (rotary?.acrossHeads) {
    const { keyCosine, keySine } = attentionInputs;
    const keys = { ...rotary, inverseFrequencies: rotary.acrossHeads.keyFrequencies };
    feedAngles(keys, { cosine: keyCosine, sine: keySine });
  }
  if (isMasked(module)) {
    const perHead = slopes ? [keyValueHeads, heads / keyValueHeads] : [];
    const shape = [...perHead, sequence, sequence];
    feeds[attentionInputs.mask] = { type: "float32", data: maskOf(module, sequence), shape };
  }
  if (relativeBias) {
    const data = new BigInt64Array(sequence * sequence);
    for (let query = 0; query < sequence; query++) {
      for (let key = 0; key < sequence; key++) {
        const bucket = bucketOf(key - query, relativeBias, module.isBidirectional);
        data[query * sequence + key] = BigInt(bucket);
      }
    }
    feeds[attentionInputs.buckets] = { type: "int64", data, shape: [sequence, sequence] };
  }
  return feeds;
}

/** Numbers to feed, row-major. */
export interface Feed {
  readonly type: "float32";
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Row numbers to feed, row-major. */
export interface RowFeed {
  readonly type: "int64";
  readonly data: BigInt64Array;
  readonly shape: readonly number[];
}

/**
 * The bucket of a distance: where a token may attend to later ones, half of the buckets are for keys
 * after the query; of each half, or of all, half are one distance wide, the rest widen evenly in its
 * logarithm. Rounded to single precision step by step, as the models' code is
 * (`_relative_position_bucket` of modeling_t5.py).
 */
export function bucketOf(
  distance: number,
  { table, maximumDistance }: RelativeBias,
  isBidirectional: boolean,
): number {
  const each = table.shape[0]! / (isBidirectional ? 2 : 1);
  const first = isBidirectional && distance > 0 ? each : 0;
  const far = isBidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(each / 2);
  if (far < exact) return first + far;
  const share = Math.fround(
    Math.fround(Math.log(far / exact)) / Math.fround(Math.log(maximumDistance / exact)),
  );
  const wide = exact + Math.floor(Math.fround(share * (each - exact)));
  return first + Math.min(wide, each - 1);
}

/** What keeps padding out of the attention of these sequences, padded to the same length. */
export function paddingFeed(lengths: readonly number[], padded: number): Feed {
  const data = new Float32Array(lengths.length * padded);
  for (const [row, length] of lengths.entries()) {
    data.fill(hidden, row * padded + length, (row + 1) * padded);
  }
  return { type: "float32", data, shape: [lengths.length, 1, 1, 1, padded] };
}

/** What keeps later tokens of as many out of an attention to them. */
export function causalFeed(sequence: number): Feed {
  const module = { isBidirectional: false, window: undefined, slopes: undefined };
  const data = maskOf({ ...module, roundedSlopeFactor: undefined }, sequence);
  return { type: "float32", data, shape: [sequence, sequence] };
}

/** Masked scores are finite: shader compilers may assume that infinities are not. */
const hidden = -1e30;

/** Magnitude times cosines and sines of position × frequency, row-major [sequence, pairs]. */
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
