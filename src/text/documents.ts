import * as z from "zod";
import type { Architecture } from "../architecture/description";
import { isPatchEmbedding, tokensOfImage } from "../architecture/description";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { lineOf } from "../checkpoint/errors";
import { limits } from "../checkpoint/limits";
import { readSmallFile } from "../checkpoint/smallFile";
import { TextError } from "./errors";
import { readImages } from "./images";
import type { TextSource } from "./source";
import type { TextTokenizer } from "./tokenizer";
import { readTokenizer } from "./tokenizer";

/** What is to be evaluated, as the user asked for it. */
export interface TextRequest {
  readonly texts: TextSource;
  readonly sequenceLength: number;
  readonly sequenceLengthIsExplicit: boolean;
  readonly maxTokens: number;
  readonly maxTokensIsExplicit: boolean;
}

/** What is evaluated at once: a document, or a piece of one that is longer than a sequence may be. */
export interface Sequence {
  /** Which document it is of; pieces of one document share it. */
  readonly document: number;
  readonly tokens: readonly number[];
  /** What is read instead of tokens, which then only count its patches. */
  readonly image?: LabelledImage;
}

/** An image as a model reads it: normalised as in its training. */
export interface LabelledImage {
  /** [channels, height, width] */
  readonly pixels: Float32Array;
  readonly label: number | undefined;
}

/**
 * The sequences a checkpoint is to be evaluated on.
 *
 * @throws TextError when the texts cannot be used, or are longer than the model's context
 * @throws CheckpointError when its tokenizer cannot be read
 */
export async function readDocuments(
  request: TextRequest,
  checkpoint: Checkpoint,
  { vocabularySize, contextLength = Infinity, embedding, head }: Architecture,
): Promise<{ sequences: Sequence[]; source: string; sequenceLength: number }> {
  const { texts } = request;
  if (texts.kind === "images" || isPatchEmbedding(embedding)) {
    if (texts.kind !== "images" || !isPatchEmbedding(embedding)) {
      throw new TextError(
        texts.kind === "images"
          ? `${texts.file}: is a batch of images, but ${checkpoint.path} reads tokens.`
          : `${checkpoint.path}: reads images, so text cannot be evaluated; give a batch of them (--images).`,
      );
    }
    return {
      sequences: await readImages(texts.file, embedding, head ? vocabularySize : Infinity),
      source: texts.file,
      sequenceLength: tokensOfImage(embedding),
    };
  }
  if (request.sequenceLengthIsExplicit && request.sequenceLength > contextLength) {
    throw new TextError(
      `Sequence length ${request.sequenceLength} is longer than the context of ${checkpoint.path}; at most ${contextLength} tokens are possible.`,
    );
  }
  if (texts.kind === "tokens") {
    // Token files are evaluated as they stand, so the default budget does not cut them.
    const maxTokens = request.maxTokensIsExplicit ? request.maxTokens : Infinity;
    const documents = await readTokenDocuments(texts.file, {
      sequenceLength: request.sequenceLength,
      maxTokens,
      vocabularySize,
    });
    const tooLong = documents.findIndex((tokens) => tokens.length > contextLength);
    if (tooLong !== -1) {
      throw new TextError(
        `${texts.file}: document ${tooLong} has ${documents[tooLong]!.length} tokens; the model's context is ${contextLength}. A sequence length of ${contextLength} (--sequence-length) cuts it.`,
      );
    }
    return {
      sequences: documents.map((tokens, document) => ({ document, tokens })),
      source: texts.file,
      sequenceLength: Math.min(request.sequenceLength, contextLength),
    };
  }
  if (checkpoint.tokenizer === undefined) {
    throw new TextError(
      `${checkpoint.folder}: holds no tokenizer that is known (tokenizer.json, tokenizer.model, spiece.model, vocab.json, vocab.txt or tokenizer.bin), so text cannot be evaluated; give token ids as a JSON file (--tokens) instead.`,
      "tokenizer",
    );
  }
  const sequenceLength = Math.min(request.sequenceLength, contextLength);
  const files = texts.kind === "default" ? [texts.file] : texts.files;
  return {
    sequences: await readTextDocuments(files, await readTokenizer(checkpoint.tokenizer), {
      sequenceLength,
      maxTokens: request.maxTokens,
      vocabularySize,
    }),
    source: texts.kind === "default" ? "default text" : files.join(", "),
    sequenceLength,
  };
}

export interface TokenLimits {
  /** Longest sequence, in tokens. */
  readonly sequenceLength: number;
  /** Most tokens altogether. */
  readonly maxTokens: number;
  readonly vocabularySize: number;
}

/** A line with nothing but this separates the documents of one text file. */
export const documentSeparator = "<|endoftext|>";

/**
 * Reads text files and cuts them into sequences of token ids. A sequence never crosses documents: a
 * file is one document, or several where lines of `<|endoftext|>` separate them. When there is more
 * text than `maxTokens`, every document's beginning comes before any document's continuation.
 *
 * @throws TextError when a file cannot be read or no file holds any text
 */
export async function readTextDocuments(
  files: readonly string[],
  tokenizer: TextTokenizer,
  { sequenceLength, maxTokens, vocabularySize }: TokenLimits,
): Promise<Sequence[]> {
  const pieces: (Sequence & { rank: number })[] = [];
  let documentCount = 0;
  for (const file of files) {
    const text = await readText(file);
    const documents = text.split(new RegExp(`^${escaped(documentSeparator)}$`, "m"));
    for (const content of documents) {
      const trimmed = content.replace(/^[\r\n]+/, "").trimEnd();
      if (trimmed === "") continue;
      const tokens = encodeText(tokenizer, trimmed, file);
      const beyond = [...tokenizer.prefix, ...tokens].find((token) => token >= vocabularySize);
      if (beyond !== undefined) {
        throw new TextError(
          `${tokenizer.file}: gives token id ${beyond} for text of ${file}; the model's vocabulary ends at ${vocabularySize - 1}.`,
        );
      }
      const document = documentCount++;
      for (const piece of cut(tokens, tokenizer.prefix, Math.min(sequenceLength, maxTokens))) {
        pieces.push({ ...piece, document });
      }
    }
  }
  if (pieces.length === 0) {
    throw new TextError(`${files.join(", ")}: holds no text of two tokens or more.`);
  }
  const order = pieces.toSorted((a, b) => a.rank - b.rank);
  const chosen: Sequence[] = [];
  let total = 0;
  for (const { document, tokens } of order) {
    if (total + tokens.length > maxTokens) break;
    chosen.push({ document, tokens });
    total += tokens.length;
  }
  return chosen;
}

/**
 * The token ids of a text of `file`.
 *
 * @throws TextError when the tokenizer has no ids for it
 */
export function encodeText(tokenizer: TextTokenizer, text: string, file: string): number[] {
  try {
    return tokenizer.encode(text);
  } catch (error) {
    throw new TextError(
      `${tokenizer.file}: cannot encode text of ${file}: ${lineOf(error)}. Give other text, or token ids (--tokens).`,
    );
  }
}

/** Sequences of one document, each beginning with the tokenizer's prefix; a short rest is left out. */
function cut(
  tokens: readonly number[],
  prefix: readonly number[],
  length: number,
): { tokens: number[]; rank: number }[] {
  const room = Math.max(1, length - prefix.length);
  const shortest = Math.ceil(length / 4);
  const pieces: { tokens: number[]; rank: number }[] = [];
  for (let start = 0; start < tokens.length; start += room) {
    const piece = [...prefix, ...tokens.slice(start, start + room)].slice(0, length);
    if (piece.length < 2 || (start > 0 && piece.length < shortest)) continue;
    pieces.push({ tokens: piece, rank: start / room });
  }
  return pieces;
}

/**
 * Reads a JSON array of arrays of token ids. Each array is one document, evaluated as it stands and
 * cut only at `sequenceLength`; whole documents are taken until `maxTokens` is reached.
 *
 * @throws TextError when the file is not of that form or an id lies outside the vocabulary
 */
export async function readTokenDocuments(
  file: string,
  { sequenceLength, maxTokens, vocabularySize }: TokenLimits,
): Promise<number[][]> {
  let content: unknown;
  const text = await readText(file);
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new TextError(`${file}: is not JSON: ${lineOf(error)}.`);
  }
  const parsed = z.array(z.array(z.unknown())).safeParse(content);
  if (!parsed.success) {
    throw new TextError(`${file}: expected an array of arrays of token ids.`);
  }
  const documents: number[][] = [];
  let total = 0;
  for (const [index, ids] of parsed.data.entries()) {
    if (ids.length === 0) throw new TextError(`${file}: document ${index} is empty.`);
    for (const [position, id] of ids.entries()) {
      if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= vocabularySize) {
        throw new TextError(
          `${file}: document ${index} holds ${JSON.stringify(id)} at position ${position}; expected a token id from 0 to ${vocabularySize - 1}.`,
        );
      }
    }
    const tokens = (ids as number[]).slice(0, sequenceLength);
    // The first document is evaluated whole, whatever the budget.
    if (documents.length > 0 && total + tokens.length > maxTokens) break;
    documents.push(tokens);
    total += tokens.length;
  }
  if (!documents.some((document) => document.length > 1)) {
    const among =
      documents.length < parsed.data.length ? ` among the first ${maxTokens} tokens` : "";
    throw new TextError(`${file}: holds no document of two tokens or more${among}.`);
  }
  return documents;
}

async function readText(file: string): Promise<string> {
  return readSmallFile(file, limits.textBytes).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new TextError(`${file}: does not exist.`);
    }
    throw new TextError(`${file}: cannot be read as text: ${lineOf(error)}.`);
  });
}

function escaped(literal: string): string {
  return literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
