import { Tokenizer } from "@huggingface/tokenizers";
import type { TextTokenizer } from "../tokenizer";

/** A tokenizer without the name of its file. */
export type NamelessTokenizer = Omit<TextTokenizer, "file">;

/** What a tokenizer.json holds, as far as it decides on the ids of a text. */
export interface Description {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly model: object;
  readonly added_tokens: readonly AddedToken[];
}

/** A token that is looked for in the text before anything else is done with it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
  readonly normalized: boolean;
}

/**
 * A tokenizer from the content of a tokenizer.json.
 *
 * @throws Error where the library does not know what it describes
 */
export function fromDescription(description: object): NamelessTokenizer {
  const encode = encoderOf(description);
  // What the post-processor adds around a text: a suffix (such as </s>) ends a text, and our
  // sequences are excerpts, so only what stands before is kept.
  const plain = encode("a", false);
  const surrounded = encode("a", true);
  const start = surrounded.findIndex((_, at) => plain.every((id, i) => surrounded[at + i] === id));
  return {
    encode: (text) => encode(text, false),
    prefix: surrounded.slice(0, Math.max(0, start)),
  };
}

/** A tokenizer that we describe ourselves, for formats the library does not read. */
export function fromParts(description: Description, prefix: readonly number[]): NamelessTokenizer {
  const encode = encoderOf({ ...description, post_processor: null, decoder: null });
  return { encode: (text) => encode(text, false), prefix };
}

function encoderOf(description: object): (text: string, special: boolean) => number[] {
  // The second argument is tokenizer_config.json, which only adds what chat templates need.
  const tokenizer = new Tokenizer(description, {});
  return (text, special) => tokenizer.encode(text, { add_special_tokens: special }).ids;
}

/** The number of each token, the first where one is there twice. */
export function vocabularyOf(tokens: readonly string[]): Record<string, number> {
  const vocabulary = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    if (!vocabulary.has(token)) vocabulary.set(token, id);
  }
  return Object.fromEntries(vocabulary);
}
