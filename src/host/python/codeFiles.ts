/** Which Python files of a folder are read: the nearest, where it holds more than can be. */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { skippedFolders } from "./skippedFolders";

/** Files of one model: a package of training code, not all that was ever installed. */
const mostFiles = 200;
const deepestFolder = 4;

export interface CodeFiles {
  /** Their paths, in an order that does not tell which was near. */
  files: readonly string[];
  /** True where the folder holds more. */
  isCut: boolean;
}

/**
 * The Python files in a folder and up to four folders below it, no more than 200: `near` first, then
 * those in its folder and below, then those of the folder above it, and so on outwards. Hidden folders
 * and those of installed packages are left out.
 *
 * @param folder an absolute path
 * @param near a file; where it lies outside of the folder, those in the folder itself come first
 */
export async function codeFiles(folder: string, near: string): Promise<CodeFiles> {
  const starts = foldersBetween(folder, near);
  const found = new Set(path.dirname(near) === starts[0] ? [near] : []);
  const seen = new Set<string>();
  for (const start of starts) {
    let level = [start];
    for (let depth = 0; depth <= deepestFolder && level.length > 0; depth++) {
      const below: string[] = [];
      for (const each of level) {
        seen.add(each);
        const { files, folders } = await entriesOf(each);
        for (const file of files) found.add(file);
        below.push(...folders.filter((one) => !seen.has(one)));
        if (found.size > mostFiles) {
          return { files: [...found].slice(0, mostFiles).sort(), isCut: true };
        }
      }
      level = below;
    }
  }
  return { files: [...found].sort(), isCut: false };
}

/** From the one that a file lies in outwards, as far as none is left out. */
function foldersBetween(folder: string, file: string): string[] {
  const steps = path.relative(folder, path.dirname(file)).split(path.sep);
  const hidden = steps.findIndex((step) => skippedFolders.test(step));
  // Steps that lead out of the folder begin with a dot as well.
  const inside = steps.slice(0, hidden < 0 ? undefined : hidden).filter((step) => step !== "");
  return [...inside.keys(), inside.length]
    .map((length) => path.join(folder, ...inside.slice(0, length)))
    .reverse();
}

async function entriesOf(folder: string): Promise<{ files: string[]; folders: string[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const paths = (chosen: typeof entries): string[] =>
    chosen.map(({ name }) => path.join(folder, name));
  return {
    files: paths(entries.filter((entry) => entry.isFile() && entry.name.endsWith(".py"))),
    folders: paths(
      entries.filter((entry) => entry.isDirectory() && !skippedFolders.test(entry.name)),
    ),
  };
}
