import { readFile, stat } from "node:fs/promises";

/**
 * Reads a file that is held in memory whole, such as a config or a text.
 *
 * @param limit most bytes it may have; its size is checked before anything is read
 * @throws Error with a sentence that says why it cannot be read, to be completed by the file's name
 */
export async function readSmallFile(file: string, limit: number): Promise<string> {
  const stats = await stat(file);
  // Reading a pipe or a device could wait, or go on, for ever.
  if (!stats.isFile()) throw new Error("it is not a file");
  if (stats.size > limit) throw new Error(`it is ${stats.size} bytes long, the limit is ${limit}`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof TypeError) throw new Error("it is not UTF-8 text", { cause: error });
    throw error;
  }
}
