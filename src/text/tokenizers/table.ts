import type { NamelessTokenizer } from "./library";

/**
 * A tokenizer of a table alone, as training scripts keep it: `stoi` or `vocab` (a token's number),
 * `itos` (a number's token) or `chars` (the characters in the order of their numbers). Where all tokens
 * but those in angle or square brackets are characters, text is taken character by character, else
 * word by word with punctuation apart.
 *
 * @throws Error when the table is of another form
 */
export function tableTokenizer(table: object): NamelessTokenizer {
  const [key, held] = Object.entries(table)[0] ?? [];
  const numbers = numbersIn(held);
  if (numbers === undefined || numbers.size === 0) {
    throw new Error(`its table ${JSON.stringify(key)} is no list of tokens or of their numbers`);
  }
  const spelt = [...numbers.keys()].filter((token) => !isSpecial(token));
  const named = (names: readonly string[]): number | undefined =>
    names.map((name) => numbers.get(name)).find((id) => id !== undefined);
  const [unknown, start] = [named(unknownNames), named(startNames)];
  const isOfCharacters = spelt.every((token) => Array.from(token).length === 1);
  const isSmall = spelt.every((token) => token === token.toLowerCase());
  // Without a single punctuation mark among its tokens, a table was made from words alone.
  const hasMarks = spelt.some((token) => /^[^\p{L}\p{N}]+$/u.test(token));
  const pattern = new RegExp(hasMarks ? `${word}|[^\\s\\p{L}\\p{N}_]` : word, "gu");
  const cut = (text: string): string[] =>
    isOfCharacters ? Array.from(text) : (text.match(pattern) ?? []);
  return {
    prefix: start === undefined ? [] : [start],
    encode: (text) =>
      known(cut(isSmall ? text.toLowerCase() : text), numbers, {
        unknown,
        mostMissing: isOfCharacters ? 0.05 : 0.25,
      }),
  };
}

/** Letters and digits, and what joins them within a word. */
const word = "[\\p{L}\\p{N}_]+(?:['’-][\\p{L}\\p{N}_]+)*";
const unknownNames = ["<unk>", "<UNK>", "[UNK]", "<|unk|>", "unk", "UNK"];

/** A table that names a start was made for sequences that begin with it. */
const startNames = ["<bos>", "<BOS>", "<s>", "[BOS]", "<|bos|>", "<sos>", "<SOS>", "<start>"];

function isSpecial(token: string): boolean {
  return /^(<.+>|\[.+\])$/.test(token) || token === "unk" || token === "UNK";
}

/**
 * The numbers of tokens. What a table without a token for the unknown does not hold is left out: what
 * a model never saw cannot be predicted.
 *
 * @param mostMissing how much of a text may be left out; words that are rare go missing sooner
 * @throws Error when more is missing
 */
function known(
  tokens: readonly string[],
  numbers: ReadonlyMap<string, number>,
  { unknown, mostMissing }: { unknown: number | undefined; mostMissing: number },
): number[] {
  const ids = tokens.map((token) => numbers.get(token) ?? unknown);
  const missing = new Set(tokens.filter((_, at) => ids[at] === undefined));
  const count = ids.filter((id) => id === undefined).length;
  if (count > mostMissing * tokens.length) {
    const some = [...missing].slice(0, 10).map((token) => JSON.stringify(token));
    throw new Error(
      `${count} of the text's ${tokens.length} tokens are not in its table of ${numbers.size}: ${some.join(", ")}${missing.size > 10 ? "…" : ""}`,
    );
  }
  return ids.filter((id) => id !== undefined);
}

function numbersIn(held: unknown): Map<string, number> | undefined {
  if (typeof held === "string") return ofTokens(Array.from(held));
  if (Array.isArray(held)) return held.every(isText) ? ofTokens(held) : undefined;
  if (held === null || typeof held !== "object") return undefined;
  const entries: [unknown, unknown][] = held instanceof Map ? [...held] : Object.entries(held);
  // `stoi` is from tokens to numbers, `itos` from numbers, which JSON writes as text, to tokens.
  if (entries.every(([, id]) => isId(id))) {
    return new Map(entries.map(([token, id]) => [String(token), id as number]));
  }
  if (entries.every(([id, token]) => isId(Number(id)) && isText(token))) {
    return new Map(entries.map(([id, token]) => [token as string, Number(id)]));
  }
  return undefined;
}

function ofTokens(tokens: readonly string[]): Map<string, number> {
  return new Map(tokens.map((token, id) => [token, id]));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isId(value: unknown): boolean {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
