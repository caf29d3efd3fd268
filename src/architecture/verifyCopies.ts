import type { TensorEntry } from "../checkpoint/checkpoint";
import { isSameContent } from "../checkpoint/content";
import { CheckpointError, quote } from "../checkpoint/errors";
import { readTensor } from "../checkpoint/readTensor";
import type { Architecture } from "./description";

/** What a checkpoint holds besides what is computed with, and must not contradict. @throws CheckpointError */
export async function verifyCopies(architecture: Architecture): Promise<void> {
  await verifyHead(architecture);
  for (const stated of architecture.statedScales ?? []) await verifyScale(stated);
}

/**
 * Makes sure that a head that the config ties to the embedding is not another one in the weights:
 * versions of transformers differ in which of the two then counts, so any figure would be a guess.
 *
 * @throws CheckpointError when they differ
 */
async function verifyHead({ embedding, head }: Architecture): Promise<void> {
  const copy: TensorEntry | undefined = head?.copy;
  const { tokens } = embedding;
  if (copy === undefined || (await isSameContent(copy, tokens))) return;
  throw new CheckpointError(
    "config",
    `${copy.file}: tensor ${quote(copy.name)} differs from ${quote(tokens.name)}, although config.json ties them ("tie_word_embeddings" is true); set that key to what the model was trained with.`,
  );
}

/** Room for a factor that was stored in bfloat16. */
const scaleTolerance = 2 ** -8;

/** Makes sure that a buffer holds LayerNorm Scaling's 1/√ℓ. @throws CheckpointError when it does not */
async function verifyScale({
  tensor,
  scale,
}: NonNullable<Architecture["statedScales"]>[number]): Promise<void> {
  const found = await readTensor(tensor);
  if (found.every((value) => Math.abs(value / scale - 1) <= scaleTolerance)) return;
  const value = found.find((value) => !(Math.abs(value / scale - 1) <= scaleTolerance))!;
  throw new CheckpointError(
    "config",
    `${tensor.file}: tensor ${quote(tensor.name)} is ${value}; LayerNorm Scaling's factor 1/√ℓ of this layer is ${scale.toPrecision(7)}, and no other is supported.`,
  );
}
