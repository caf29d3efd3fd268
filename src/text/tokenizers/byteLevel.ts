import type { AddedToken, NamelessTokenizer } from "./library";
import { fromParts, vocabularyOf } from "./library";
import type { Splitting } from "./splitting";

/** Byte-pair encoding over bytes, as GPT-2 has it: every byte is written as one printable character. */
export interface ByteLevel {
  readonly tokens: readonly string[] | Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
  readonly splitting: Splitting;
  readonly added: readonly AddedToken[];
  readonly isSpacePut?: boolean;
  readonly prefix: readonly number[];
}

export function byteLevelTokenizer(stated: ByteLevel): NamelessTokenizer {
  const { tokens, merges, splitting, added, isSpacePut = false, prefix } = stated;
  return fromParts(
    {
      normalizer: splitting.isComposed ? { type: "NFC" } : null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          ...splitting.patterns.map((pattern) => ({
            type: "Split",
            pattern: { Regex: pattern },
            behavior: "Isolated",
            invert: false,
          })),
          { type: "ByteLevel", add_prefix_space: isSpacePut, use_regex: false },
        ],
      },
      model: {
        type: "BPE",
        vocab: Array.isArray(tokens) ? vocabularyOf(tokens as readonly string[]) : tokens,
        merges,
        ignore_merges: splitting.areTokensWhole ?? false,
      },
      added_tokens: added,
    },
    prefix,
  );
}

/** The character that stands for each byte: itself where it prints, else one from U+0100 on. */
export function byteCharacters(): string[] {
  const prints = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(prints(byte) ? byte : next++),
  );
}
