import { Tokenizer } from "@huggingface/tokenizers";
import { CheckpointError, lineOf } from "../checkpoint/errors";
import { limits } from "../checkpoint/limits";
import { readSmallFile } from "../checkpoint/smallFile";

/** Turns text into token ids, without special tokens. */
export interface TextTokenizer {
  /** The file it was read from, for messages. */
  readonly file: string;
  readonly encode: (text: string) => number[];
  /** Special tokens that stand before every sequence, such as the beginning-of-sequence token. */
  readonly prefix: readonly number[];
}

/**
 * Reads a checkpoint's tokenizer.json.
 *
 * @throws CheckpointError when it is too large, not JSON, or of a kind the tokenizer library rejects
 */
export async function readTokenizer(file: string): Promise<TextTokenizer> {
  try {
    const text = await readSmallFile(file, limits.tokenizerBytes);
    const description = JSON.parse(text) as object;
    // The second argument is tokenizer_config.json, which only adds what chat templates need.
    const tokenizer = new Tokenizer(description, {});
    const encode = (text: string, special: boolean): number[] =>
      tokenizer.encode(text, { add_special_tokens: special }).ids;
    // What the post-processor adds around a text: a suffix (such as </s>) ends a text, and our
    // sequences are excerpts, so only what stands before is kept.
    const plain = encode("a", false);
    const surrounded = encode("a", true);
    const start = surrounded.findIndex((_, at) =>
      plain.every((id, i) => surrounded[at + i] === id),
    );
    return {
      file,
      encode: (text) => encode(text, false),
      prefix: surrounded.slice(0, Math.max(0, start)),
    };
  } catch (error) {
    throw new CheckpointError(
      "config",
      `${file}: is not a tokenizer that can be used: ${lineOf(error)}.`,
    );
  }
}
