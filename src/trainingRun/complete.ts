/** Whether a checkpoint has been written to its end, for those who must not read a half-written one. */
import path from "node:path";
import { readArchitecture } from "../architecture/readArchitecture";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { CheckpointError, lineOf } from "../checkpoint/errors";
import { openCheckpoint } from "../checkpoint/open";
import { isIndexName, shardsOfName } from "../checkpoint/weightFiles";

/**
 * Why a checkpoint is not complete: a header that reaches beyond its file, a tensor that does, one
 * that the architecture needs and none of the files holds, a shard that is not there yet or whose
 * index is not, or no config. Undefined when nothing is missing, as of a checkpoint whose
 * architecture is not supported: that is for the diagnosis to say. A file that was given its whole
 * size before it was filled looks complete; only time tells (`settling.ts`).
 */
export async function incompleteness(checkpoint: string): Promise<string | undefined> {
  try {
    const opened = await openCheckpoint(checkpoint);
    const hasSettings = opened.config !== undefined || opened.statement !== undefined;
    if (!hasSettings) return `${opened.folder}: has no config.json yet.`;
    return lackOfIndex(opened) ?? (await lackOfTensor(opened));
  } catch (error) {
    if (error instanceof CheckpointError) return error.message;
    return `${checkpoint}: ${lineOf(error)}.`;
  }
}

/** Shards are written before the index that names them all. GGUF has none: its parts say how many. */
function lackOfIndex({ directoryFile, format }: Checkpoint): string | undefined {
  const count = shardsOfName(path.basename(directoryFile));
  if (count <= 1 || isIndexName(path.basename(directoryFile)) || format === "GGUF")
    return undefined;
  return `${directoryFile}: is one of ${count} shards, and the index of them is not there yet.`;
}

async function lackOfTensor(checkpoint: Checkpoint): Promise<string | undefined> {
  try {
    await readArchitecture(checkpoint);
    return undefined;
  } catch (error) {
    const isLack = error instanceof CheckpointError && error.problem === "missingTensor";
    return isLack ? error.message : undefined;
  }
}
