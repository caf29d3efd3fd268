/** Whether a checkpoint has been written to its end, for those who must not read a half-written one. */
import { CheckpointError, lineOf } from "../checkpoint/errors";
import { openCheckpoint } from "../checkpoint/open";

/**
 * Why a checkpoint is not complete: a header that reaches beyond its file, a tensor that does, a
 * shard of the index that is not there yet, or no config. Undefined when nothing is missing. A file
 * that was given its whole size before it was filled looks complete; only time tells (`settling.ts`).
 */
export async function incompleteness(checkpoint: string): Promise<string | undefined> {
  try {
    const opened = await openCheckpoint(checkpoint);
    return opened.config === undefined ? `${opened.folder}: has no config.json yet.` : undefined;
  } catch (error) {
    if (error instanceof CheckpointError) return error.message;
    return `${checkpoint}: ${lineOf(error)}.`;
  }
}
