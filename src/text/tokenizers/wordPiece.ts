import type { NamelessTokenizer } from "./library";
import { fromParts, vocabularyOf } from "./library";
import type { Settings } from "./settings";

/**
 * BERT's vocab.txt, a token on each line: words, and their continuations, which begin with ##. Text
 * is written in small letters, unless the settings or tokens with capitals say that it is not.
 *
 * @throws Error when it holds no token for what it does not know
 */
export function wordPieceTokenizer(text: string, settings: Settings): NamelessTokenizer {
  const tokens = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const unknown = settings.unk_token ?? "[UNK]";
  if (!tokens.includes(unknown)) throw new Error(`it holds no token ${unknown}`);
  if (!tokens.some((token) => token.startsWith("##"))) {
    throw new Error(
      "no token of its begins with ##, as the continuations of BERT's words do, so that it cannot be told how text is cut into them",
    );
  }
  const start = tokens.indexOf(settings.cls_token ?? "[CLS]");
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
      added_tokens: [],
    },
    start === -1 ? [] : [start],
  );
}

/** Special tokens, such as [CLS], are in capitals in every vocabulary. */
function hasCapital(token: string): boolean {
  return !/^\[.*\]$/.test(token) && token !== token.toLowerCase();
}
