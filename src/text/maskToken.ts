import { join } from "node:path";
import * as z from "zod";
import type { Architecture } from "../architecture/description";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { limits } from "../checkpoint/limits";
import { readSmallFile } from "../checkpoint/smallFile";

/** What tokenizers call the token that hides others: BERT's, and RoBERTa's. */
const names: readonly string[] = ["[MASK]", "<mask>"];

const tokenizerSchema = z.object({
  added_tokens: z.array(z.object({ content: z.string(), id: z.int().nonnegative() })),
});
const vocabularySchema = z.record(z.string(), z.int().nonnegative());

/** Where a mask token is looked for, beside the weights, and how a file tells its id. */
const sources: readonly (readonly [file: string, idIn: (text: string) => number | undefined])[] = [
  [
    "tokenizer.json",
    (text) => {
      const { added_tokens: added } = tokenizerSchema.parse(JSON.parse(text));
      return added.find(({ content }) => names.includes(content))?.id;
    },
  ],
  [
    "vocab.json",
    (text) => {
      const vocabulary = new Map(Object.entries(vocabularySchema.parse(JSON.parse(text))));
      return names.map((name) => vocabulary.get(name)).find((id) => id !== undefined);
    },
  ],
  [
    // A token on each line.
    "vocab.txt",
    (text) => {
      const line = text.split(/\r?\n/).findIndex((token) => names.includes(token));
      return line === -1 ? undefined : line;
    },
  ],
];

/**
 * The architecture with the mask token that the tokenizer's files name, where it needs one that
 * config.json does not state. A file that cannot be read names none.
 */
export async function withMaskToken(
  architecture: Architecture,
  { folder }: Pick<Checkpoint, "folder">,
): Promise<Architecture> {
  const { objective, vocabularySize } = architecture;
  if (objective.kind !== "masked-token" || objective.maskToken !== undefined) return architecture;
  for (const [file, idIn] of sources) {
    const maskToken = await readSmallFile(join(folder, file), limits.tokenizerBytes)
      .then(idIn)
      .catch(() => undefined);
    if (maskToken !== undefined && maskToken < vocabularySize) {
      return { ...architecture, objective: { ...objective, maskToken } };
    }
  }
  return architecture;
}
