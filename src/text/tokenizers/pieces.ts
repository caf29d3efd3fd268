import type { AddedToken, NamelessTokenizer } from "./library";
import { fromParts, vocabularyOf } from "./library";

/**
 * SentencePiece's piece types, under the numbers that its model files and GGUF share
 * (sentencepiece_model.proto).
 */
export const pieceKinds = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const;

export interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: number;
}

/** A vocabulary of scored pieces, as SentencePiece trains it, and how text is prepared for it. */
export interface ScoredPieces {
  readonly pieces: readonly Piece[];
  readonly algorithm: "bpe" | "unigram";
  /** What stands for a space: "▁", or, in llama2.c, the space. */
  readonly space: string;
  readonly isSpacePut: boolean;
  /** Whether spaces around the text, and all but one of several together, are left out. */
  readonly areSpacesJoined: boolean;
  /** Whether characters are replaced by compatible ones (NFKC) first. */
  readonly isNormalized: boolean;
  /** The piece that stands for what no piece spells. */
  readonly unknown: number;
  readonly prefix: readonly number[];
}

/**
 * A tokenizer of scored pieces. Byte-pair encoding joins, of the neighbours that make a piece, the two
 * whose piece has the highest score: a merge for each way to make a piece, in the order of scores.
 *
 * @throws Error where the library cannot do what the vocabulary asks for
 */
export function scoredPiecesTokenizer(scored: ScoredPieces): NamelessTokenizer {
  const { pieces, space, isSpacePut, areSpacesJoined, prefix } = scored;
  const hasBytes = pieces.some(({ kind }) => kind === pieceKinds.byte);
  if (scored.algorithm === "unigram" && hasBytes) {
    throw new Error("a unigram model that falls back to bytes cannot be used yet");
  }
  const isPutFirst = isSpacePut && !areSpacesJoined;
  const tokenizer = fromParts(
    {
      normalizer: sequence([
        ...(scored.isNormalized ? [{ type: "Precompiled", precompiled_charsmap: "" }] : []),
        ...(areSpacesJoined ? joinedSpaces : []),
        ...(isSpacePut && areSpacesJoined ? [{ type: "Prepend", prepend: space }] : []),
        ...(space === " " ? [] : [{ type: "Replace", pattern: { String: " " }, content: space }]),
      ]),
      pre_tokenizer: null,
      model: scored.algorithm === "bpe" ? bytePairs(scored, hasBytes) : unigram(scored),
      added_tokens: userDefined(pieces, !areSpacesJoined),
    },
    prefix,
  );
  // Put before the text here, because the library would put one after every user-defined token too.
  return isPutFirst ? { ...tokenizer, encode: (text) => tokenizer.encode(` ${text}`) } : tokenizer;
}

const joinedSpaces = [
  // Spaces only: what else is white, the normalization has made one, or it stays.
  { type: "Replace", pattern: { Regex: "\\A +| +\\z" }, content: "" },
  { type: "Replace", pattern: { Regex: " {2,}" }, content: " " },
];

function sequence(normalizers: readonly object[]): object | null {
  return normalizers.length === 0 ? null : { type: "Sequence", normalizers };
}

function bytePairs({ pieces, unknown }: ScoredPieces, hasBytes: boolean): object {
  return {
    type: "BPE",
    vocab: vocabularyOf(pieces.map(({ text }) => text)),
    merges: mergesOf(pieces),
    unk_token: pieces[unknown]?.text ?? null,
    fuse_unk: true,
    byte_fallback: hasBytes,
  };
}

function unigram({ pieces, unknown }: ScoredPieces): object {
  return {
    type: "Unigram",
    vocab: pieces.map(({ text, score, kind }, id) => [
      // The library looks for every piece in the text; these are never spelt there.
      kind === pieceKinds.control || kind === pieceKinds.unknown ? `\u0000${id}` : text,
      score,
    ]),
    unk_id: unknown,
  };
}

/** The pairs of pieces that make a piece, those of higher score first. */
export function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const spelt = pieces.filter(
    ({ kind }) =>
      kind === pieceKinds.normal || kind === pieceKinds.userDefined || kind === pieceKinds.unused,
  );
  const known = new Set(spelt.map(({ text }) => text));
  const merges: { pair: [string, string]; score: number }[] = [];
  for (const { text, score } of spelt) {
    let left = "";
    for (const character of text) {
      if (left !== "" && known.has(left) && known.has(text.slice(left.length))) {
        merges.push({ pair: [left, text.slice(left.length)], score });
      }
      left += character;
    }
  }
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair);
}

function userDefined(pieces: readonly Piece[], normalized: boolean): AddedToken[] {
  return pieces.flatMap(({ text, kind }, id) =>
    kind === pieceKinds.userDefined && text !== ""
      ? [{ id, content: text, special: false, normalized }]
      : [],
  );
}
