/** Ids of tokens that a tokenizer's files know by name. */
import { join } from "node:path";
import * as z from "zod";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { readGgufMetadata } from "../checkpoint/formats/gguf/gguf";
import { limits } from "../checkpoint/limits";
import { readSmallFile } from "../checkpoint/smallFile";

const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ content: z.string(), id: z.int().nonnegative() })),
});
const vocabularySchema = z.record(z.string(), z.int().nonnegative());

type Names = readonly string[];

/** Where a token is looked for, beside the weights, and how a file tells its id. */
const sources: readonly (readonly [
  file: string,
  idIn: (text: string, names: Names) => number | undefined,
])[] = [
  [
    "tokenizer.json",
    (text, names) => {
      const { added_tokens: added } = tokenizerSchema.parse(JSON.parse(text));
      return added.find(({ content }) => names.includes(content))?.id;
    },
  ],
  [
    "vocab.json",
    (text, names) => {
      const vocabulary = new Map(Object.entries(vocabularySchema.parse(JSON.parse(text))));
      return names.map((name) => vocabulary.get(name)).find((id) => id !== undefined);
    },
  ],
  [
    // A token on each line.
    "vocab.txt",
    (text, names) => {
      const line = text.split(/\r?\n/).findIndex((token) => names.includes(token));
      return line === -1 ? undefined : line;
    },
  ],
];

/**
 * The id of the token that has one of these names, below the vocabulary's end; undefined where neither the
 * tokenizer in the checkpoint nor a file of its folder tells one. A file that cannot be read tells none.
 */
export async function namedToken(
  names: Names,
  { folder, tokenizer }: Pick<Checkpoint, "folder" | "tokenizer">,
  vocabularySize: number,
): Promise<number | undefined> {
  const ways = sources.map(([file, idIn]) => async (): Promise<number | undefined> => {
    return idIn(await readSmallFile(join(folder, file), limits.tokenizerBytes), names);
  });
  // A GGUF file's own comes before what lies beside it, which may be of another model.
  if (tokenizer?.kind === "gguf") ways.unshift(() => idInGguf(tokenizer.path, names));
  for (const way of ways) {
    const id = await way().catch(() => undefined);
    if (id !== undefined && id < vocabularySize) return id;
  }
  return undefined;
}

async function idInGguf(file: string, names: Names): Promise<number | undefined> {
  const metadata = await readGgufMetadata(file, (key) => key === tokensKey);
  const tokens = metadata.get(tokensKey);
  if (!Array.isArray(tokens)) return undefined;
  const id = tokens.findIndex((token) => names.includes(String(token)));
  return id === -1 ? undefined : id;
}

const tokensKey = "tokenizer.ggml.tokens";
