import * as z from "zod";
import { readGgufMetadata } from "../../checkpoint/formats/gguf/gguf";
import { byteLevelTokenizer } from "./byteLevel";
import type { NamelessTokenizer } from "./library";
import { pieceKinds, scoredPiecesTokenizer } from "./pieces";
import { isSplitting, splittings } from "./splitting";
import { fromPhantomSpaces, ofWordPieces } from "./wordPiece";

/**
 * The tokenizer in a GGUF file's metadata, under the keys `tokenizer.ggml.…` of its specification.
 * Where a key is absent, what llama.cpp takes in its place is taken.
 *
 * @throws Error when it is of a kind that cannot be used, CheckpointError when the file cannot be read
 */
export async function ggufTokenizer(file: string): Promise<NamelessTokenizer> {
  const metadata = await readGgufMetadata(file, (key) => key.startsWith(keyStart));
  const values = Object.fromEntries(
    [...metadata]
      .filter(([key]) => key.startsWith(keyStart))
      .map(([key, value]) => [key.slice(keyStart.length), value]),
  );
  const parsed = schema.safeParse(values);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new Error(`its ${keyStart}${issue.path.join(".")} is not as it should be`);
  }
  const stated = parsed.data;
  const read = kinds[stated.model];
  if (read === undefined) {
    throw new Error(
      `its ${keyStart}model is ${JSON.stringify(stated.model.slice(0, 40))}; expected one of ${Object.keys(kinds).join(", ")}`,
    );
  }
  return read(stated);
}

const keyStart = "tokenizer.ggml.";

const id = z.int().nonnegative().optional();
const schema = z.object({
  model: z.string(),
  pre: z.string().optional(),
  tokens: z.array(z.string()),
  scores: z.array(z.number()).optional(),
  token_type: z.array(z.int()).optional(),
  merges: z.array(z.string()).optional(),
  bos_token_id: id,
  cls_token_id: id,
  unknown_token_id: id,
  add_bos_token: z.boolean().optional(),
  add_space_prefix: z.boolean().optional(),
  remove_extra_whitespaces: z.boolean().optional(),
  precompiled_charsmap: z.array(z.number()).optional(),
  "normalizer.lowercase": z.boolean().optional(),
  "normalizer.strip_accents": z.boolean().optional(),
});
type Stated = z.infer<typeof schema>;

const kinds: Readonly<Record<string, ((stated: Stated) => NamelessTokenizer) | undefined>> = {
  llama: (stated) => scored(stated, "bpe", true),
  t5: (stated) => scored(stated, "unigram", false),
  gpt2: byteLevel,
  bert: wordPieces,
};

function scored(
  stated: Stated,
  algorithm: "bpe" | "unigram",
  hasStart: boolean,
): NamelessTokenizer {
  const { tokens, scores = [], token_type: types = [] } = stated;
  return scoredPiecesTokenizer({
    pieces: tokens.map((text, at) => ({
      text,
      score: scores[at] ?? 0,
      kind: types[at] ?? pieceKinds.normal,
    })),
    algorithm,
    space: "▁",
    isSpacePut: stated.add_space_prefix ?? true,
    areSpacesJoined: stated.remove_extra_whitespaces ?? false,
    isNormalized: (stated.precompiled_charsmap ?? []).length > 0,
    unknown: stated.unknown_token_id ?? 0,
    prefix: startOf(stated, hasStart, 1),
  });
}

function byteLevel(stated: Stated): NamelessTokenizer {
  const { tokens, merges = [], token_type: types = [], pre } = stated;
  if (pre === undefined) {
    throw new Error(
      `it states no ${keyStart}pre, without which it cannot be told how text is split before it is merged`,
    );
  }
  if (!isSplitting(pre)) {
    throw new Error(
      `its ${keyStart}pre is ${JSON.stringify(pre.slice(0, 40))}, a way to split text that is not known`,
    );
  }
  const splitting = splittings[pre]!;
  return byteLevelTokenizer({
    tokens,
    merges: merges.map((merge) => pairOf(merge)),
    splitting,
    // Not bytes spelt in the byte-level alphabet: such tokens stand in the text as they are.
    added: tokens.flatMap((content, at) => {
      const special = types[at] === pieceKinds.control;
      const isAdded = special || types[at] === pieceKinds.userDefined;
      return isAdded && content !== "" ? [{ id: at, content, special, normalized: false }] : [];
    }),
    prefix: startOf(stated, splitting.hasStart ?? false, undefined),
  });
}

/** llama.cpp's name of the start has changed; BERT's own is the same in all files. */
function wordPieces(stated: Stated): NamelessTokenizer {
  const tokens = fromPhantomSpaces(stated.tokens, stated.token_type ?? []);
  const named = (id: number | undefined, usual: string): string =>
    (id === undefined ? undefined : tokens[id]) ?? usual;
  return ofWordPieces({
    tokens,
    unknown: named(stated.unknown_token_id, "[UNK]"),
    start:
      stated.add_bos_token === false
        ? ""
        : named(stated.cls_token_id ?? stated.bos_token_id, "[CLS]"),
    settings: {
      do_lower_case: stated["normalizer.lowercase"],
      strip_accents: stated["normalizer.strip_accents"],
    },
  });
}

/** Merges are two tokens with a space between; a token may begin with one. */
function pairOf(merge: string): [string, string] {
  const space = merge.indexOf(" ", 1);
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function startOf(
  { tokens, bos_token_id, add_bos_token }: Stated,
  hasStart: boolean,
  usual: number | undefined,
): number[] {
  const start = bos_token_id ?? usual;
  const isPut = add_bos_token ?? hasStart;
  return isPut && start !== undefined && start < tokens.length ? [start] : [];
}
