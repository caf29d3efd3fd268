/** Whether a checkpoint is still being written: what has stayed the same for a while is not. */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { isWeightName } from "../checkpoint/weightFiles";

/**
 * Tells which of the things it is shown have stayed the same for a while. Whoever watches looks now
 * and then, and need not look in time for every change.
 */
export class Settling {
  private readonly since = new Map<string, { stamp: string; time: number }>();

  /** @param settleMs how long a stamp has to stay the same */
  constructor(private readonly settleMs: number) {}

  /** @returns true once `key` has had the same stamp for the whole time */
  observe(key: string, stamp: string, now: number): boolean {
    const before = this.since.get(key);
    if (before?.stamp === stamp) return now - before.time >= this.settleMs;
    this.since.set(key, { stamp, time: now });
    return false;
  }
}

/**
 * The names, sizes and times of a checkpoint's files in one string: it changes for as long as
 * something is written. Of a weight file among others, only its own and those that are not weights.
 */
export async function stampOf(checkpoint: string): Promise<string> {
  const isFile = isWeightName(path.basename(checkpoint));
  const folder = isFile ? path.dirname(checkpoint) : checkpoint;
  const own = path.basename(checkpoint);
  const names = (await readdir(folder).catch((): string[] => [])).filter(
    (name) => !isFile || name === own || name === "config.json" || name === "tokenizer.json",
  );
  const lines = await Promise.all(
    names.sort().map(async (name) => {
      const file = await stat(path.join(folder, name)).catch(() => undefined);
      return `${name} ${file?.size ?? -1} ${file?.mtimeMs ?? -1}`;
    }),
  );
  return lines.join("\n");
}
