import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { partOfGroups, rows, transposed } from "../../checkpoint/views";
import type { Linear } from "../description";
import { partOf } from "../familyReader";
import type { Orientation, Part } from "./parts";
import { bareWordOf, fromHeads, joined, linearOf, partsOf, toStream, wordOf } from "./parts";
import type { Tensors } from "./stack";
import { refusal } from "./stack";

/** One layer's parts by what they do, as far as names and shapes tell. */
export interface LayerParts {
  readonly attention: AttentionParts;
  readonly feedForward: FeedForwardParts;
  /**
   * The norms in the order of the sublayers they belong to, a scheme saying where each stands: the order
   * that names tell, or those that are possible, the likeliest first.
   */
  readonly normOrders: readonly (readonly Part[])[];
}

export interface AttentionParts {
  /** Module path of the attention within the layer; empty where it has none of its own. */
  readonly path: string;
  /** Query, key and value. `arrangement` says how a fused linear's rows lie; a split one has none. */
  readonly projections: (arrangement: FusedArrangement, headSize: number) => QueryKeyValue;
  /** The arrangements that are possible; empty where they are split. */
  readonly arrangements: readonly FusedArrangement[];
  readonly output: Linear;
  readonly queryNorm: Part | undefined;
  readonly keyNorm: Part | undefined;
  /** Channels of all queries, and of all keys. */
  readonly queryWidth: number;
  readonly keyWidth: number;
  /** Heads where the tensors tell. */
  readonly heads: number | undefined;
}

export interface QueryKeyValue {
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
}

/** All queries, all keys, all values; or each head's query, key and value together. */
export type FusedArrangement = "thirds" | "heads";

export interface FeedForwardParts {
  readonly up: Linear;
  readonly down: Linear;
  readonly gate: Linear | undefined;
  /** Whether names tell which of two linears is the gate. */
  readonly isGateKnown: boolean;
  readonly size: number;
}

/** Tensors that a module keeps beside its weights, and that compute nothing by themselves. */
const buffers =
  /(^|\.)(mask|tril|triu|bias_mask|causal_mask|attn_mask|masked_bias|IGNORE|inv_freq|rope\.(cos|sin)\w*|(rotary\w*|rope)\.\w*(cos|sin)\w*)$/;

/**
 * Tells the parts of a layer.
 *
 * @param hidden channels of the residual stream
 * @throws CheckpointError naming what has no place in attention, feed-forward or a norm
 */
export function layerParts(
  checkpoint: Checkpoint,
  path: string,
  tensors: Tensors,
  hidden: number,
  orientation: Orientation,
): LayerParts {
  const refuse = (names: readonly string[], what: string) =>
    refusal(
      checkpoint,
      names.map((name) => `${path}.${name}`),
      what,
    );
  const kept = new Map(
    [...tensors].filter(
      ([name, { dataType, shape }]) =>
        !(buffers.test(name) || dataType === "BOOL") && !isCausalMask(name, shape),
    ),
  );
  const parts = partsOf(kept);
  const left = new Set(parts);
  const take = (part: Part): Part => {
    left.delete(part);
    return part;
  };

  const attention = attentionParts(parts, hidden, orientation, take, refuse);
  const isMatrix = ({ weight }: Part): boolean => weight.shape.length === 2;
  const feedForward = feedForwardParts(
    [...left].filter(isMatrix),
    hidden,
    orientation,
    take,
    refuse,
  );
  const norms = [...left].filter((part) => isNorm(part, hidden)).map(take);
  if (left.size > 0) {
    const names = [...left].flatMap((part) => part.names);
    throw refuse(names, "has in its layers what is neither attention, feed-forward nor a norm:");
  }
  return { attention, feedForward, normOrders: normOrders(norms) };
}

/** [T, T], alone or under leading ones, as GPT-2's old checkpoints call `bias`. */
function isCausalMask(name: string, shape: readonly number[]): boolean {
  const [queries, keys] = shape.slice(-2);
  return shape.length === 4 && queries === keys && /(^|\.)(bias|mask|tril)$/.test(name);
}

type Refuse = (names: readonly string[], what: string) => Error;

const queryWords = /^(q|query|queries)$/;
const keyWords = /^(k|key|keys)$/;
const valueWords = /^(v|value|values|val)$/;
const keyValueWords = /^(kv|keyvalue|keysvalues)$/;
const fusedWords =
  /^(qkv|wqkv|queryskeysvalues|querykeyvalue|cattn|inproj|wpack|qkvproj|toqkv|attnqkv|qkvlinear)$/;
const outputWords = /^(o|out|output|c|outputs|dense|merge|headmerge|unifyheads|fcout|fco|outfc|)$/;

function attentionParts(
  parts: readonly Part[],
  hidden: number,
  orientation: Orientation,
  take: (part: Part) => Part,
  refuse: Refuse,
): AttentionParts {
  const isNamed = (pattern: RegExp) => (part: Part) =>
    pattern.test(bareWordOf(part.path)) && part.weight.shape.length >= 2;
  const [queries, ownKeys, ownValues, paired] = [
    queryWords,
    keyWords,
    valueWords,
    keyValueWords,
  ].map((pattern) => parts.filter(isNamed(pattern))) as [Part[], Part[], Part[], Part[]];
  const [pair] = paired.length === 1 && ownKeys.length + ownValues.length === 0 ? paired : [];
  const [keys, values] = pair
    ? [[halfOf(pair, 0, orientation)], [halfOf(pair, 1, orientation)]]
    : [ownKeys, ownValues];
  const fused = parts.filter(
    ({ path, weight }) => weight.shape.length === 2 && fusedWords.test(wordOf(path)),
  );
  const isSplit = queries.length > 0 && fused.length === 0;
  if (!isSplit && (fused.length !== 1 || queries.length + keys.length + values.length > 0)) {
    const names = [...fused, ...queries, ...keys, ...values].flatMap((part) => part.names);
    throw refuse(
      names.length > 0 ? names : parts.flatMap((part) => part.names),
      "has no single attention whose query, key and value are known by name:",
    );
  }
  const sources = isSplit ? [...queries, ...(pair ? [pair] : [...keys, ...values])] : fused;
  const group = commonPath(
    sources.map(({ path }) => path.replace(/(^|\.)heads?\.\d+\..*$/, "$1q")),
  );
  for (const part of sources) take(part);
  const isWithin = ({ path }: Part): boolean => group !== "" && path.startsWith(`${group}.`);
  const rest = parts.filter((part) => !sources.includes(part));

  const outputs = rest.filter(
    (part) =>
      part.weight.shape.length >= 2 &&
      (group === "" ? outputWords.test(bareWordOf(part.path)) : isWithin(part)),
  );
  if (outputs.length !== 1) {
    const names = (outputs.length > 0 ? outputs : sources).flatMap((part) => part.names);
    throw refuse(
      names,
      `has ${outputs.length === 0 ? "no linear" : "several linears"} that could lead from the attention's values back to the stream, beside`,
    );
  }
  const outputPart = take(outputs[0]!);
  const norms = rest.filter((part) => isWithin(part) && part.weight.shape.length === 1);
  const queryNorm = norms.find(({ path }) =>
    /^(q|query)(ln|norm|layernorm)|(ln|norm)q$/.test(wordOf(path)),
  );
  const keyNorm = norms.find(({ path }) =>
    /^(k|key)(ln|norm|layernorm)|(ln|norm)k$/.test(wordOf(path)),
  );
  for (const norm of [queryNorm, keyNorm]) if (norm) take(norm);

  const { split, heads } = isSplit
    ? splitProjections(queries, keys, values, orientation, refuse)
    : { split: undefined, heads: undefined };
  const fusedLinear = isSplit ? undefined : linearOf(fused[0]!, orientation);
  const output =
    outputPart.weight.shape.length === 3 ? toStream(outputPart) : linearOf(outputPart, orientation);
  const queryWidth = output.weight.shape[1]!;
  const keyWidth = split
    ? split.key.weight.shape[0]!
    : (fusedLinear!.weight.shape[0]! - queryWidth) / 2;
  const valueWidth = split ? split.value.weight.shape[0]! : keyWidth;
  const inputs = split
    ? [split.query, split.key, split.value].map(({ weight }) => weight.shape[1])
    : [fusedLinear!.weight.shape[1]];
  const isWhole =
    output.weight.shape[0] === hidden &&
    inputs.every((size) => size === hidden) &&
    Number.isInteger(keyWidth) &&
    keyWidth > 0 &&
    keyWidth === valueWidth &&
    queryWidth % keyWidth === 0 &&
    (!split || split.query.weight.shape[0] === queryWidth);
  if (!isWhole) {
    throw refuse(
      [...sources, outputPart].flatMap((part) => part.names),
      `has an attention whose shapes do not fit a stream of ${hidden} channels:`,
    );
  }
  const isKnownThirds = fused[0] !== undefined && /^(inproj|cattn)$/.test(wordOf(fused[0].path));
  return {
    path: group,
    projections: (arrangement, headSize) =>
      split ?? fusedProjections(fusedLinear!, arrangement, queryWidth, keyWidth, headSize),
    arrangements: split
      ? []
      : isKnownThirds || queryWidth !== keyWidth
        ? ["thirds"]
        : ["thirds", "heads"],
    output,
    queryNorm,
    keyNorm,
    queryWidth,
    keyWidth,
    heads,
  };
}

/** The first or second half of a linear's outputs: keys before values. */
function halfOf({ weight, bias, ...part }: Part, half: 0 | 1, orientation: Orientation): Part {
  const cut = (tensor: TensorEntry): TensorEntry => {
    const size = tensor.shape[0]! / 2;
    return rows(tensor, half * size, (half + 1) * size);
  };
  return {
    ...part,
    weight: orientation === "input first" ? transposed(cut(transposed(weight))) : cut(weight),
    bias: bias && cut(bias),
  };
}

function splitProjections(
  queries: readonly Part[],
  keys: readonly Part[],
  values: readonly Part[],
  orientation: Orientation,
  refuse: Refuse,
): { split: QueryKeyValue; heads: number | undefined } {
  const all = [queries, keys, values];
  const names = all.flat().flatMap((part) => part.names);
  const indexOf = ({ path }: Part): number | undefined => {
    const match = /(?:^|\.)heads?\.(\d+)\./.exec(path);
    return match ? Number(match[1]) : undefined;
  };
  if (all.every((parts) => parts.length === 1 && indexOf(parts[0]!) === undefined)) {
    const [query, key, value] = all.map(([part]) => part!) as [Part, Part, Part];
    const read = (part: Part): Linear =>
      part.weight.shape.length === 3 ? fromHeads(part) : linearOf(part, orientation);
    return {
      split: { query: read(query), key: read(key), value: read(value) },
      heads: query.weight.shape.length === 3 ? query.weight.shape[0] : undefined,
    };
  }
  // A module for each head, as in the lecture "Let's build GPT".
  const sorted = all.map((parts) => [...parts].sort((a, b) => indexOf(a)! - indexOf(b)!));
  const areHeads = sorted.every(
    (parts) =>
      parts.length === queries.length && parts.every((part, head) => indexOf(part) === head),
  );
  if (!areHeads || orientation === "input first") {
    throw refuse(
      names,
      "has several queries, keys or values in a layer that are not one of each head:",
    );
  }
  const [query, key, value] = sorted as [Part[], Part[], Part[]];
  return {
    split: { query: joined(query), key: joined(key), value: joined(value) },
    heads: queries.length,
  };
}

function fusedProjections(
  fused: Linear,
  arrangement: FusedArrangement,
  queryWidth: number,
  keyWidth: number,
  headSize: number,
): QueryKeyValue {
  const cut = (start: number, width: number): Linear =>
    partOf(fused, (tensor) => rows(tensor, start, start + width));
  const ofHeads = (at: number): Linear =>
    partOf(fused, (tensor) => partOfGroups(tensor, queryWidth / headSize, at * headSize, headSize));
  return arrangement === "thirds"
    ? {
        query: cut(0, queryWidth),
        key: cut(queryWidth, keyWidth),
        value: cut(queryWidth + keyWidth, keyWidth),
      }
    : { query: ofHeads(0), key: ofHeads(1), value: ofHeads(2) };
}

const gateWords = /gate|^w1$|^fc1g$|^wg$/;
const upWords = /up|^w3$|^fc1x$|^wu$|^win$/;
const fusedGateWords = /^(w12|gateup|gateandup|upgate|wi|fc1|gateupproj)$/;

function feedForwardParts(
  linears: readonly Part[],
  hidden: number,
  orientation: Orientation,
  take: (part: Part) => Part,
  refuse: Refuse,
): FeedForwardParts {
  const names = linears.flatMap((part) => part.names);
  const read = linears.map((part) => ({ part, linear: linearOf(part, orientation) }));
  const isUp = ({ linear }: (typeof read)[number]): boolean => linear.weight.shape[1] === hidden;
  const isDown = ({ linear }: (typeof read)[number]): boolean => linear.weight.shape[0] === hidden;
  const isSquare = read.every((one) => isUp(one) && isDown(one));
  // Among squares, the order in which a module was made is the order in which it is used.
  const downs = isSquare ? read.slice(-1) : read.filter((one) => isDown(one) && !isUp(one));
  const ups = read.filter((one) => !downs.includes(one));
  const [down] = downs;
  const inner = down?.linear.weight.shape[1];
  const fail = (): Error =>
    refuse(names, "has in its layers no feed-forward of two linears, or of three with a gate, but");
  if (down === undefined || downs.length > 1 || inner === undefined || !ups.every(isUp))
    throw fail();
  if (isSquare && ups.length > 1) throw fail();
  const size = inner;
  const [first, second] = ups;
  if (first === undefined || ups.length > 2) throw fail();
  const taken = (): void => {
    for (const { part } of [...ups, down]) take(part);
  };
  const rowsOf = ({ linear }: (typeof read)[number]): number => linear.weight.shape[0]!;
  if (second === undefined) {
    if (rowsOf(first) === size) {
      taken();
      return { up: first.linear, down: down.linear, gate: undefined, isGateKnown: true, size };
    }
    if (rowsOf(first) !== 2 * size || !fusedGateWords.test(wordOf(first.part.path))) throw fail();
    taken();
    const half = (at: number): Linear =>
      partOf(first.linear, (tensor) => rows(tensor, at * size, (at + 1) * size));
    return { gate: half(0), up: half(1), down: down.linear, isGateKnown: false, size };
  }
  if (rowsOf(first) !== size || rowsOf(second) !== size) throw fail();
  // TransformerLens keeps one bias, of the linear that is not the gate.
  taken();
  const words = [first, second].map(({ part }) => wordOf(part.path));
  const gates = words.map((word) => gateWords.test(word));
  const upsNamed = words.map((word) => upWords.test(word));
  const isKnown = gates[0] !== gates[1] || upsNamed[0] !== upsNamed[1];
  const gateFirst = isKnown ? (gates[0] !== gates[1] ? gates[0]! : upsNamed[1]!) : true;
  const [gate, up] = gateFirst ? [first, second] : [second, first];
  return { gate: gate.linear, up: up.linear, down: down.linear, isGateKnown: isKnown, size };
}

/** The orders that norms may have, one where their names tell it. */
function normOrders(norms: readonly Part[]): readonly (readonly Part[])[] {
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
  const isOfAttention = /attn|attention|(^|[._])sa([._]|$)|input/i.test(path);
  const isOfFeedForward = /ffn|ffwd|mlp|ff([._]|$)|feed/i.test(path);
  if (isAround) {
    const isAfter = /post|after|out/i.test(path);
    if (isOfAttention === isOfFeedForward) return undefined;
    return (isOfFeedForward ? 2 : 0) + (isAfter ? 1 : 0);
  }
  // The LLaMA lineage calls the feed-forward's by what it comes after.
  if (/post_?(attention|attn)_?(layer_?)?norm/i.test(path)) return 2;
  if (isOfAttention) return 1;
  if (isOfFeedForward) return 2;
  const number = /(\d+)(?!.*\d)/.exec(path);
  return number ? Number(number[1]) : undefined;
}

/** Whether a part is a norm: named so, or a module whose weight is one number for each channel. */
export function isNorm({ path, weight }: Part, hidden: number): boolean {
  const isOfChannels = weight.shape.length === 1 && weight.shape[0] === hidden;
  const isNamed = /norm|ln|layernorm|^n\d$|sublayer/i.test(path);
  const isModule = weight.name.endsWith(".weight");
  return (
    isOfChannels && (isNamed || isModule) && !/(^|[._])(ls_?\d|layer_?scale|gamma_\d)/i.test(path)
  );
}

/** The module path that all of these lie in; empty where there is none. */
function commonPath(paths: readonly string[]): string {
  const steps = paths.map((path) => path.split(".").slice(0, -1));
  const [first] = steps as [string[]];
  const shared = first.findIndex((step, at) => steps.some((other) => other[at] !== step));
  return (shared === -1 ? first : first.slice(0, shared)).join(".");
}
