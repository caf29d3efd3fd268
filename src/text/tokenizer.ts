import { readFile, stat } from "node:fs/promises";
import { CheckpointError, lineOf } from "../checkpoint/errors";
import { limits } from "../checkpoint/limits";
import { readSmallFile } from "../checkpoint/smallFile";
import type { TokenizerSource } from "../checkpoint/tokenizerSource";
import { tableIn } from "../checkpoint/tokenizerSource";
import { ggufTokenizer } from "./tokenizers/gguf";
import { llama2cTokenizer } from "./tokenizers/llama2c";
import { fromDescription } from "./tokenizers/library";
import { mergesTokenizer } from "./tokenizers/merges";
import { sentencePieceTokenizer } from "./tokenizers/sentencePieceModel";
import { settingsIn } from "./tokenizers/settings";
import { tableTokenizer } from "./tokenizers/table";
import { isRankedPieces, rankedPiecesTokenizer } from "./tokenizers/rankedPieces";
import { wordPieceTokenizer } from "./tokenizers/wordPiece";

/** Turns text into token ids, without special tokens. */
export interface TextTokenizer {
  /** The file it was read from, for messages. */
  readonly file: string;
  /** Throws an Error for a text that it has no ids for, or for too little of it. */
  readonly encode: (text: string) => number[];
  /** Special tokens that stand before every sequence, such as the beginning-of-sequence token. */
  readonly prefix: readonly number[];
}

/**
 * Reads a checkpoint's tokenizer.
 *
 * @throws CheckpointError when it is too large, not of its format, or of a kind that cannot be used
 */
export async function readTokenizer(source: TokenizerSource): Promise<TextTokenizer> {
  const { path: file } = source;
  try {
    return { file, ...(await read(source)) };
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(
      "config",
      `${file}: is not a tokenizer that can be used: ${lineOf(error)}. Token ids can be given instead (--tokens).`,
    );
  }
}

async function read(source: TokenizerSource): Promise<Omit<TextTokenizer, "file">> {
  switch (source.kind) {
    case "tokenizer.json":
      return fromDescription((await json(source.path)) as object);
    case "gguf":
      return ggufTokenizer(source.path);
    case "tokenizer.model": {
      const bytes = await content(source.path);
      return isRankedPieces(bytes)
        ? rankedPiecesTokenizer(bytes.toString("latin1"))
        : sentencePieceTokenizer(bytes, await settings(source.settings));
    }
    case "merges":
      return mergesTokenizer(
        await json(source.path),
        await text(source.merges),
        await settings(source.settings),
      );
    case "wordpiece":
      return wordPieceTokenizer(await text(source.path), await settings(source.settings));
    case "llama2.c":
      return llama2cTokenizer(await content(source.path));
    case "table":
      return tableTokenizer(await tableOf(source.path));
    case "stated table":
      return tableTokenizer(source.table);
  }
}

async function text(file: string): Promise<string> {
  return readSmallFile(file, limits.tokenizerBytes);
}

async function json(file: string): Promise<unknown> {
  return JSON.parse(await text(file)) as unknown;
}

/** The table that a file is, or that stands in it beside other things. */
async function tableOf(file: string): Promise<object> {
  const value = await json(file);
  const table = value !== null && typeof value === "object" ? tableIn(value) : undefined;
  return table ?? { vocab: value };
}

async function settings(file: string | undefined): Promise<ReturnType<typeof settingsIn>> {
  return settingsIn(file === undefined ? {} : await json(file));
}

async function content(file: string): Promise<Buffer> {
  const { size } = await stat(file);
  if (size > limits.tokenizerBytes) {
    throw new Error(`it is ${size} bytes long, the limit is ${limits.tokenizerBytes}`);
  }
  return readFile(file);
}
