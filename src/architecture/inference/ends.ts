import { t } from "@vscode/l10n";
import type { Checkpoint, TensorEntry } from "../../checkpoint/checkpoint";
import { isSameContent } from "../../checkpoint/content";
import { quote } from "../../checkpoint/errors";
import { reshaped, transposed } from "../../checkpoint/views";
import type { Head } from "../description";
import { plainHead } from "../description";
import { isNorm, isNormInRow } from "./norms";
import type { Part } from "./parts";
import { partsOf, wordOf } from "./parts";
import type { Stack } from "./stack";
import { refusal } from "./stack";

/** What stands before and after the layers of a language model. */
export interface TokenEnds {
  readonly kind: "tokens";
  readonly tokens: TensorEntry;
  /** [places, hidden] */
  readonly positions: TensorEntry | undefined;
  /** [kinds of segment, hidden] */
  readonly segments: TensorEntry | undefined;
  readonly embeddingNorm: Part | undefined;
  readonly finalNorm: Part | undefined;
  readonly head: Head | undefined;
  /** What the head does first. */
  readonly transform: { readonly dense: Part; readonly norm: Part | undefined } | undefined;
  /** Why there is no head. */
  readonly whyNoHead?: string;
  /** Rotary frequencies or their tables, wherever the model keeps them. */
  readonly rotary: RotaryTensors | undefined;
  readonly hidden: number;
}

/** One of each kind, by the names they are stored under; a checkpoint holds frequencies, tables or both. */
export interface RotaryTensors {
  readonly frequencies: TensorEntry | undefined;
  readonly tables: { readonly cosine: TensorEntry; readonly sine: TensorEntry } | undefined;
}

/** Tensors around the layers that compute nothing by themselves. */
const buffers = /(^|\.)(mask|tril|triu|causal_mask|attn_mask|position_ids|freqs_cis)$/;

/** Whether a tensor can be no weight: a mask, or rotary angles in a form that says nothing new. */
export function isNoWeight(name: string, tensor: TensorEntry): boolean {
  return tensor.dataType === "BOOL" || isRotaryTable(name, tensor);
}

const rotaryName = /(^|[._])(rope|rotary\w*)([._]|$)|(^|[._])(cis|freqs(_complex)?)(_cached)?$/i;

/** Whether a tensor is, by its name, of rotary angles as complex numbers, or of each position's angles. */
export function isRotaryTable(name: string, { dataType, shape }: TensorEntry): boolean {
  const isComplex = /^C\d+$/.test(dataType) && rotaryName.test(name);
  return isComplex || (/(^|[._])freqs$/.test(name) && shape.length === 2 && !isRow(shape));
}

function isRow(shape: readonly number[]): boolean {
  return shape.filter((size) => size !== 1).length <= 1;
}

/**
 * Tells the embedding, the positions, the norms around the layers and the head.
 *
 * @throws CheckpointError naming what has no place around the layers of a language model
 */
export async function readEnds(checkpoint: Checkpoint, stack: Stack): Promise<TokenEnds> {
  const refuse = (parts: readonly Part[], what: string) =>
    refusal(
      checkpoint,
      parts.flatMap((part) => part.names),
      what,
    );
  const rotary = await rotaryTensors(checkpoint, stack);
  const kept = [...stack.outer].filter(
    ([name, tensor]) =>
      !buffers.test(name) && rotaryKindOf(name, tensor) === undefined && !isNoWeight(name, tensor),
  );
  const parts = partsOf(new Map(kept));
  const left = new Set(parts);

  const tables = tokenTables(parts);
  if (tables.length !== 1) {
    throw refuse(
      tables.length > 0 ? tables : parts,
      tables.length === 0
        ? "has no embedding of tokens that is known by its name or shape, but"
        : "has several embeddings of tokens:",
    );
  }
  const [embedding] = tables as [Part];
  const [vocabulary, hidden] = embedding.weight.shape as [number, number];
  left.delete(embedding);

  const places = parts.filter((part) => isPositionName(part.path) && left.has(part));
  if (places.length > 1) throw refuse(places, "has several tables of positions:");
  const positions = places[0] && tableOf(places[0], hidden);
  if (places[0] && positions === undefined) {
    throw refuse(places, `has positions that are no table of ${hidden} channels:`);
  }
  if (places[0]) left.delete(places[0]);

  const segments = [...left].filter((part) => isSegmentTable(part, hidden));
  if (segments.length > 1) throw refuse(segments, "has several tables of segments:");
  for (const part of segments) left.delete(part);

  const ofClasses = partsOfOtherHeads([...left], hidden, vocabulary);
  for (const part of ofClasses) left.delete(part);
  const transform = headTransform([...left], hidden, vocabulary);
  for (const part of [transform?.dense, transform?.norm]) if (part) left.delete(part);

  const norms = [...left].filter((part) => isNorm(part, hidden));
  const embeddingNorms = norms.filter(({ path }) =>
    /emb|input|pre_?ln|ln_?pre|first|in_?norm/i.test(path),
  );
  const finalNorms = norms.filter((norm) => !embeddingNorms.includes(norm));
  if (embeddingNorms.length > 1 || finalNorms.length > 1) {
    throw refuse(norms, "has norms around its layers whose places their names do not tell:");
  }
  for (const norm of norms) left.delete(norm);

  const heads = [...left].filter(
    ({ path, weight: { shape } }) =>
      shape.length === 2 && (isHeadName(path) || String(shape) === `${vocabulary},${hidden}`),
  );
  if (heads.length > 1) throw refuse(heads, "has several heads:");
  const [headPart] = heads;
  if (headPart) left.delete(headPart);
  const isOfFew = headPart !== undefined && isOfFewClasses(headPart, hidden, vocabulary);
  const [classHead] = isOfFew ? [headPart] : ofClasses.filter(({ path }) => !isPoolerName(path));
  // An embedding is a head too, unless there is one that tells something else.
  const tellsClasses = classHead !== undefined && (isOfFew || headPart === undefined);
  if (left.size > 0) {
    throw refuse(
      [...left],
      "has around its layers what is neither an embedding, a norm nor a head:",
    );
  }
  return {
    kind: "tokens",
    tokens: embedding.weight,
    positions,
    segments: segments[0]?.weight,
    embeddingNorm: embeddingNorms[0],
    finalNorm: finalNorms[0],
    head: tellsClasses
      ? undefined
      : await headOf(headPart, embedding.weight, vocabulary, (what) =>
          refuse(headPart ? [headPart] : [embedding], what),
        ),
    transform,
    ...(tellsClasses && {
      whyNoHead: t("its head {0} tells classes of texts, not tokens", quote(classHead.path)),
    }),
    rotary,
    hidden,
  };
}

const segmentName = /seg(ment)?s?([._]|$)|seg_?emb|token_?type|type_?emb/i;

/** Whether a part is a table of the few kinds of segment that a token may be in. */
function isSegmentTable({ path, weight: { shape }, bias }: Part, hidden: number): boolean {
  const isTable = bias === undefined && shape.length === 2 && shape[1] === hidden;
  return isTable && shape[0]! <= mostSegments && segmentName.test(path);
}

const mostSegments = 8;

/** Modules that BERT's pre-training and its tasks put on an encoder, beside a head that tells tokens. */
const otherHeadName =
  /(^|[._])(pooler|nsp|next_sentence|seq_relationship|classifier|cls_?head|score)(\.|$)/i;

/** Linears of the stream in modules so named, and what lies in a module with one. */
function partsOfOtherHeads(parts: readonly Part[], hidden: number, vocabulary: number): Part[] {
  const moduleOf = ({ path }: Part): string | undefined => {
    const match = otherHeadName.exec(path);
    return match ? path.slice(0, match.index + match[0].length) : undefined;
  };
  const named = parts.filter(
    (part) => moduleOf(part) !== undefined && !part.weight.shape.includes(vocabulary),
  );
  const linears = named.filter(
    ({ weight: { shape } }) => shape.length === 2 && shape.includes(hidden),
  );
  const modules = new Set(linears.map(moduleOf));
  return named.filter((part) => modules.has(moduleOf(part)));
}

/** Whether a head has far fewer outputs than there are tokens, whichever way it is stored. */
function isOfFewClasses({ weight: { shape } }: Part, hidden: number, vocabulary: number): boolean {
  const outputs = shape.find((size) => size !== hidden) ?? hidden;
  return !shape.includes(vocabulary) && 2 * outputs <= vocabulary;
}

function isPoolerName(path: string): boolean {
  return /(^|[._])pooler([._]|$)/i.test(path);
}

/**
 * What a head that tells masked tokens does first, in a module with its decoder: a square linear and, where
 * there is one, a norm (BERT's `cls.predictions.transform`).
 */
function headTransform(
  parts: readonly Part[],
  hidden: number,
  vocabulary: number,
): TokenEnds["transform"] {
  const isSquare = ({ weight: { shape } }: Part): boolean =>
    String(shape) === `${hidden},${hidden}`;
  const [dense, ...others] = parts.filter(isSquare);
  if (dense === undefined || others.length > 0) return undefined;
  // The module of the head, of which this may be within another: `cls.predictions.transform.dense`.
  const [module, ...rest] = dense.path.split(".");
  const isWithin = ({ path }: Part): boolean => rest.length > 0 && path.startsWith(`${module!}.`);
  const isWithDecoder = parts.some((part) => isWithin(part) && part.weight.shape[0] === vocabulary);
  if (!isWithDecoder && !/mlm|mask|pred|lm_?head/i.test(dense.path)) return undefined;
  const norms = parts.filter(
    (part) => isWithin(part) && (isNorm(part, hidden) || isNormInRow(part, hidden)),
  );
  return norms.length > 1 ? undefined : { dense, norm: norms[0] };
}

/**
 * What may be the embedding of tokens: tables of that name, or else the tables of one width that are no
 * positions and no head.
 */
function tokenTables(parts: readonly Part[]): Part[] {
  const tables = parts.filter(
    ({ path, weight, bias }) =>
      bias === undefined &&
      weight.shape.length === 2 &&
      !isHeadName(path) &&
      !isPositionName(path) &&
      !segmentName.test(path),
  );
  const named = tables.filter(({ path }) => isTokenName(path));
  if (tables.length > 0) return named.length > 0 ? named : tables;
  // A module of embeddings may call its table by a word that heads are called too: `src_embed.linear`.
  return parts.filter(
    ({ path, bias, weight }) =>
      bias === undefined &&
      weight.shape.length === 2 &&
      isTokenName(path.split(".").slice(0, -1).join(".")) &&
      !isPositionName(path),
  );
}

function isTokenName(path: string): boolean {
  return (
    /(^|[._])(tok|token|tokens|wte|word|words|vocab|char|chars|embed|embedding|embeddings|emb|embed_tokens)|W_E$/i.test(
      path,
    ) && !/type|segment|time|norm|(^|[._])ln/i.test(path)
  );
}

export function isPositionName(path: string): boolean {
  return /(^|[._])(pos|position|positions|positional|wpe|pe)([._]|$)|pos_?(emb|enc)|positional_|position_emb|W_pos$/i.test(
    path,
  );
}

export function isHeadName(path: string): boolean {
  return (
    /(^|[._])(lm_?head|head|heads|output|out|unembed|decoder|generator|logits|proj|projection|classifier|fc|fc_?out|to_logits|final|linear)([._]|$)|head|W_U$/i.test(
      path,
    ) && wordOf(path) !== "we"
  );
}

/** [places, hidden] of a table that may have an axis of one before or between. */
export function tableOf({ weight, bias }: Part, hidden: number): TensorEntry | undefined {
  const sizes = weight.shape.filter((size) => size !== 1);
  const isTable = bias === undefined && sizes.length === 2 && sizes[1] === hidden;
  return isTable ? reshaped(weight, sizes) : undefined;
}

async function headOf(
  part: Part | undefined,
  tokens: TensorEntry,
  vocabulary: number,
  refuse: (what: string) => Error,
): Promise<Head> {
  // Training code that ties the two often saves one name; that it is so is for the evidence to show.
  if (part === undefined) return { ...plainHead(tokens), tied: true };
  const [rows, columns] = part.weight.shape;
  const isTurnedByShape = rows !== vocabulary && columns === vocabulary;
  const isTurned = /(^|\.)W_U$/.test(part.path) || isTurnedByShape;
  const weight = isTurned ? transposed(part.weight) : part.weight;
  if (weight.shape[0] !== vocabulary || weight.shape[1] !== tokens.shape[1]) {
    throw refuse(
      `has a head of another shape than the ${vocabulary} tokens by ${tokens.shape[1]!} channels of its embedding:`,
    );
  }
  const tied = !isTurned && (await isSameContent(part.weight, tokens));
  return {
    ...plainHead(tied ? tokens : weight),
    bias: part.bias,
    tied,
    ...(tied && { copy: part.weight }),
  };
}

const frequencyName = /(^|[._])(inv_freqs?|freqs)$/;
const tableNames = [
  /(^|[._])(?:rope_|rotary_|freqs_)?(?<table>cos|sin)(_cached)?$/,
  /(^|\.)(?:rotary\w*|rope)\.(\w*(?![a-z]))?(?<![a-z])(?<table>cos|sin)(?![a-z])\w*$/,
];

/** What a tensor tells of rotary positions, by its name; frequencies are a row. */
export function rotaryKindOf(
  name: string,
  { shape }: TensorEntry,
): "frequencies" | "cosines" | "sines" | undefined {
  if (frequencyName.test(name)) return isRow(shape) ? "frequencies" : undefined;
  const tables = tableNames.map((pattern) => pattern.exec(name)?.groups?.["table"]);
  const table = tables.find((found) => found !== undefined);
  return table === "cos" ? "cosines" : table === "sin" ? "sines" : undefined;
}

/**
 * Frequencies or tables in the layers and around them, which every attention is turned by.
 *
 * @throws CheckpointError naming those that differ: which of them a layer is turned by, nothing tells
 */
async function rotaryTensors(
  checkpoint: Checkpoint,
  { prefix, layers, outer }: Stack,
): Promise<RotaryTensors | undefined> {
  const all: (readonly [string, TensorEntry])[] = [
    ...outer,
    ...layers.flatMap((layer, index) =>
      [...layer].map(([name, tensor]) => [`${prefix}${index}.${name}`, tensor] as const),
    ),
  ];
  const theOnly = async (
    kind: ReturnType<typeof rotaryKindOf>,
  ): Promise<readonly [string, TensorEntry] | undefined> => {
    const [one, ...others] = all.filter(([name, tensor]) => rotaryKindOf(name, tensor) === kind);
    for (const other of others) {
      if (!(await isSameContent(one![1], other[1]))) {
        throw refusal(
          checkpoint,
          [one![0], other[0]],
          "has rotary positions that are not the same everywhere, which is not read:",
        );
      }
    }
    return one;
  };
  const frequencies = await theOnly("frequencies");
  const [cosine, sine] = [await theOnly("cosines"), await theOnly("sines")];
  if ((cosine === undefined) !== (sine === undefined)) {
    throw refusal(
      checkpoint,
      [(cosine ?? sine)![0]],
      "has of the cosines and sines of rotary positions only",
    );
  }
  const tables = cosine && sine && { cosine: cosine[1], sine: sine[1] };
  return frequencies || tables ? { frequencies: frequencies?.[1], tables } : undefined;
}
