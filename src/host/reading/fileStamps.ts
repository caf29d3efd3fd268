/** Whether files have been written since, without reading them. */
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";

/** @returns a text that differs when one of the files has been written since */
export async function stampsOf(files: readonly string[]): Promise<string> {
  const stamps = await Promise.all(
    files.map(async (file) => {
      const stats = await stat(file).catch(() => undefined);
      return stats && [stats.ino, stats.size, stats.mtimeMs];
    }),
  );
  return JSON.stringify(stamps);
}

/**
 * Which files these are and when they last changed, to the nanosecond; by the inode's own time too,
 * for a copy may keep the time of its original. Undefined where one cannot be looked at.
 */
export async function exactStampsOf(
  files: readonly string[],
): Promise<{ text: string; lastChangeMs: number } | undefined> {
  try {
    const all = await Promise.all(files.map((file) => stat(file, { bigint: true })));
    const stamps = all.map(({ ino, size, mtimeNs, ctimeNs }, index) =>
      [files[index], ino, size, mtimeNs, ctimeNs].join("\0"),
    );
    const times = all.flatMap(({ mtimeMs, ctimeMs }) => [Number(mtimeMs), Number(ctimeMs)]);
    // Of hundreds of shards the stamps themselves would make a long list longer.
    const text = createHash("sha256").update(stamps.join("\n")).digest("hex");
    return { text, lastChangeMs: Math.max(...times) };
  } catch {
    return undefined;
  }
}
