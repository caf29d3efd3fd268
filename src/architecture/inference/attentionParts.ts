import type { TensorEntry } from "../../checkpoint/checkpoint";
import { partOfGroups, rows, transposed } from "../../checkpoint/views";
import type { Linear } from "../description";
import { partOf } from "../familyReader";
import type { Orientation, Part, Refuse } from "./parts";
import { bareWordOf, fromHeads, joined, linearOf, modulePathOf, toStream, wordOf } from "./parts";

/** A layer's attention, as far as names and shapes tell. */
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

/** All queries, all keys, all values; or for each head of keys its queries, its key and its value together. */
export type FusedArrangement = "thirds" | "heads";

const queryWords = /^(q|query|queries)$/;
const keyWords = /^(k|key|keys)$/;
const valueWords = /^(v|value|values|val)$/;
const keyValueWords = /^(kv|keyvalue|keysvalues)$/;
const fusedWords =
  /^(attn|qkv|wqkv|queryskeysvalues|querykeyvalue|cattn|inproj|wpack|qkvproj|toqkv|attnqkv|qkvlinear)$/;
const outputWords = /^(o|out|output|c|outputs|dense|merge|headmerge|unifyheads|fcout|fco|outfc|)$/;

/**
 * Tells which of a layer's parts are its attention's.
 *
 * @param take called for each of them
 * @throws what `refuse` makes of tensors that are no attention of one kind
 */
export function attentionParts(
  parts: readonly Part[],
  hidden: number,
  orientation: Orientation,
  take: (part: Part) => Part,
  refuse: Refuse,
): AttentionParts {
  const ofRow = partsOfRow(parts);
  const isNamed = (pattern: RegExp) => (part: Part) =>
    pattern.test(ofRow.get(part) ?? bareWordOf(part.path)) && part.weight.shape.length >= 2;
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

  const mayLeadBack = rest.filter(
    (part) =>
      part.weight.shape.length >= 2 && (group === "" ? isNamedOutput(part, rest) : isWithin(part)),
  );
  // A layer that is one module may call its feed-forward's last linear so too: `out_proj` and `fc_out`, `w_o`
  // and `w_out`.
  const ofNoOther = mayLeadBack.filter(({ path }) => !/^(fc|ff|mlp|wout$)/.test(wordOf(path)));
  const outputs = ofNoOther.length === 1 ? ofNoOther : mayLeadBack;
  if (outputs.length !== 1) {
    const names = (outputs.length > 0 ? outputs : sources).flatMap((part) => part.names);
    throw refuse(
      names,
      `has ${outputs.length === 0 ? "no linear" : "several linears"} that could lead from the attention's values back to the stream, beside`,
    );
  }
  const outputPart = take(outputs[0]!);
  const ofRanks = [...sources, outputPart].filter(({ weight }) => weight.shape.length > 2);
  if (ofRanks.length > 0 && !areOfHeads([...sources, outputPart])) {
    throw refuse(
      ofRanks.flatMap((part) => part.names),
      "has an attention whose tensors are neither linears nor, all of them, one matrix for each head:",
    );
  }
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
    arrangements: split ? [] : isKnownThirds ? ["thirds"] : ["thirds", "heads"],
    output,
    queryNorm,
    keyNorm,
    queryWidth,
    keyWidth,
    heads,
  };
}

/**
 * Whether a linear beside an attention in no module of its own leads, by its name, back from it. `w_out` does
 * in the layer itself where no `w_in` tells that it is the feed-forward's.
 */
function isNamedOutput({ path }: Part, rest: readonly Part[]): boolean {
  const isFeedForwards = path.includes(".") || rest.some((part) => wordOf(part.path) === "win");
  return outputWords.test(bareWordOf(path)) && !(wordOf(path) === "wout" && isFeedForwards);
}

/**
 * The words of four linears in a row, which The Annotated Transformer has for query, key, value and output;
 * empty where there are none.
 */
function partsOfRow(parts: readonly Part[]): ReadonlyMap<Part, string> {
  const inRow = parts.filter(({ path }) => /(^|\.)linears\.[0-3]$/.test(path));
  const words = ["query", "key", "value", "output"];
  return new Map(
    inRow.length === words.length
      ? inRow.map((part) => [part, words[Number(part.path.at(-1))]!] as const)
      : [],
  );
}

/** Whether a tensor is, by its name, of a linear that gives queries. */
export function isOfQueries(name: string): boolean {
  const path = modulePathOf(name);
  return fusedWords.test(wordOf(path)) || queryWords.test(bareWordOf(path));
}

/** Whether all are [heads, …, …] of as many heads. */
function areOfHeads(parts: readonly Part[]): boolean {
  return parts.every(
    ({ weight: { shape } }) => shape.length === 3 && shape[0] === parts[0]!.weight.shape[0],
  );
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
  const queries = (queryWidth / keyWidth) * headSize;
  const ofHeads = (start: number, width: number): Linear =>
    partOf(fused, (tensor) => partOfGroups(tensor, keyWidth / headSize, start, width));
  return arrangement === "thirds"
    ? {
        query: cut(0, queryWidth),
        key: cut(queryWidth, keyWidth),
        value: cut(queryWidth + keyWidth, keyWidth),
      }
    : {
        query: ofHeads(0, queries),
        key: ofHeads(queries, headSize),
        value: ofHeads(queries + headSize, headSize),
      };
}

/** The module path that all of these lie in; empty where there is none. */
function commonPath(paths: readonly string[]): string {
  const steps = paths.map((path) => path.split(".").slice(0, -1));
  const [first] = steps as [string[]];
  const shared = first.findIndex((step, at) => steps.some((other) => other[at] !== step));
  return (shared === -1 ? first : first.slice(0, shared)).join(".");
}
