import type { NamelessTokenizer } from "./library";
import { fromParts, vocabularyOf } from "./library";
import { pieceKinds } from "./pieces";
import type { Settings } from "./settings";

/**
 * BERT's vocab.txt, a token on each line: words, and their continuations, which begin with ##. Text
 * is written in small letters, unless the settings or tokens with capitals say that it is not.
 *
 * @throws Error when it holds no token for what it does not know
 */
export function wordPieceTokenizer(text: string, settings: Settings): NamelessTokenizer {
  const tokens = text.replace(/\r?\n$/, "").split(/\r?\n/);
  return ofWordPieces({
    tokens,
    unknown: settings.unk_token ?? "[UNK]",
    start: settings.cls_token ?? "[CLS]",
    settings,
  });
}

const specialTokens = ["[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"];

/** The pieces as vocab.txt has them, and how text is prepared for them. */
interface WordPieces {
  readonly tokens: readonly string[];
  readonly unknown: string;
  /** Before each sequence, where there is such a token. */
  readonly start: string;
  readonly settings: Pick<Settings, "do_lower_case" | "strip_accents" | "tokenize_chinese_chars">;
}

/** @throws Error when the pieces are not those of words and their continuations */
export function ofWordPieces({ tokens, unknown, start, settings }: WordPieces): NamelessTokenizer {
  if (!tokens.includes(unknown)) throw new Error(`it holds no token ${unknown}`);
  if (!tokens.some((token) => token.startsWith("##"))) {
    throw new Error(
      "no token of its begins with ##, as the continuations of BERT's words do, so that it cannot be told how text is cut into them",
    );
  }
  const startId = tokens.indexOf(start);
  return fromParts(
    {
      normalizer: {
        type: "BertNormalizer",
        clean_text: true,
        handle_chinese_chars: settings.tokenize_chinese_chars ?? true,
        strip_accents: settings.strip_accents ?? null,
        lowercase: settings.do_lower_case ?? !tokens.some(hasCapital),
      },
      pre_tokenizer: { type: "BertPreTokenizer" },
      model: {
        type: "WordPiece",
        vocab: vocabularyOf(tokens),
        unk_token: unknown,
        continuing_subword_prefix: "##",
        max_input_chars_per_word: 100,
      },
      // As in BERT's own tokenizer, they stand for themselves in a text too.
      added_tokens: specialTokens.flatMap((content) => {
        const id = tokens.indexOf(content);
        return id === -1 ? [] : [{ id, content, special: true, normalized: false }];
      }),
    },
    startId === -1 ? [] : [startId],
  );
}

/**
 * The pieces as llama.cpp keeps them, which puts ▁ before words and takes ## from continuations;
 * special tokens are as they were.
 *
 * @param types the kind of each piece; conversions from before they had kinds left what is in brackets
 */
export function fromPhantomSpaces(tokens: readonly string[], types: readonly number[]): string[] {
  return tokens.map((token, at) => {
    if (types[at] === pieceKinds.control || /^\[.+\]$/.test(token)) return token;
    return token.startsWith("▁") ? token.slice(1) : `##${token}`;
  });
}

/** Special tokens, such as [CLS], are in capitals in every vocabulary. */
function hasCapital(token: string): boolean {
  return !/^\[.*\]$/.test(token) && token !== token.toLowerCase();
}
