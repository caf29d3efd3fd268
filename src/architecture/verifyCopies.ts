import type { TensorEntry } from "../checkpoint/checkpoint";
import { isSameContent } from "../checkpoint/content";
import { CheckpointError, quote } from "../checkpoint/errors";
import type { Architecture } from "./description";
import { isPatchEmbedding } from "./description";

/**
 * Makes sure that a head that the config ties to the embedding is not another one in the weights:
 * versions of transformers differ in which of the two then counts, so any figure would be a guess.
 *
 * @throws CheckpointError when they differ
 */
export async function verifyCopies({ embedding, head }: Architecture): Promise<void> {
  await verifyCopy(head?.copy, isPatchEmbedding(embedding) ? undefined : embedding.tokens);
  await verifyCopy(head?.biasCopy, head?.bias);
}

async function verifyCopy(
  copy: TensorEntry | undefined,
  original: TensorEntry | undefined,
): Promise<void> {
  if (copy === undefined || original === undefined) return;
  if (await isSameContent(copy, original)) return;
  throw new CheckpointError(
    "config",
    `${copy.file}: tensor ${quote(copy.name)} differs from ${quote(original.name)}, although config.json ties them ("tie_word_embeddings" is true); set that key to what the model was trained with.`,
  );
}
