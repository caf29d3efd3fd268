/** Whether files have been written since, without reading them. */
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
