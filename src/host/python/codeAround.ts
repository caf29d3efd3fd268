/** The Python code that may have to do with a file: all of its workspace folder, the nearest first. */
import { access, readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { skippedFolders } from "./skippedFolders";

export interface CodeAround {
  /** By path, with slashes. */
  readonly texts: ReadonlyMap<string, string>;
  /** What the limits left out: the first file or folder of it. */
  readonly leftOut: string | undefined;
}

export interface CodeLimits {
  readonly files: number;
  /** Of one file, in bytes: what is longer is not parsed. */
  readonly bytes: number;
}

const defaultLimits: CodeLimits = { files: 5000, bytes: 4_000_000 };

/**
 * Reads the code of a workspace folder, from the folder of a file outwards. Files are read and not
 * parsed, which takes seconds where they are thousands: not for the thread of the extension host.
 *
 * @param root the workspace folder; where the file lies in none, its package is read
 * @param open the texts of open documents by path, with slashes
 */
export async function readCodeAround(
  file: string,
  root: string | undefined,
  open: ReadonlyMap<string, string>,
  limits = defaultLimits,
): Promise<CodeAround> {
  const texts = new Map<string, string>();
  let leftOut: string | undefined;
  for await (const found of pythonFilesAround(file, root ?? (await packageRoot(file)))) {
    const name = found.replaceAll(path.sep, "/");
    if (texts.size === limits.files) return { texts, leftOut: leftOut ?? name };
    const text = open.get(name) ?? (await textOf(found, limits.bytes));
    if (text === undefined) leftOut ??= name;
    else texts.set(name, text);
  }
  return { texts, leftOut };
}

async function* pythonFilesAround(file: string, root: string): AsyncGenerator<string> {
  const relative = path.relative(root, file);
  const isBelow = !relative.startsWith("..") && !path.isAbsolute(relative);
  const last = isBelow ? path.resolve(root) : path.dirname(file);
  let before: string | undefined;
  for (let at = path.dirname(file); ; at = path.dirname(at)) {
    yield* pythonFilesBelow(at, before);
    if (at === last || at === path.dirname(at)) return;
    before = at;
  }
}

/** @param except a folder that was met before */
async function* pythonFilesBelow(
  folder: string,
  except: string | undefined,
): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.isFile() && entry.name.endsWith(".py")) yield path.join(folder, entry.name);
  }
  for (const entry of entries) {
    const below = path.join(folder, entry.name);
    if (!entry.isDirectory() || below === except || skippedFolders.test(entry.name)) continue;
    yield* pythonFilesBelow(below, except);
  }
}

/** Undefined where it is too long; a file that cannot be read has no code. */
async function textOf(file: string, mostBytes: number): Promise<string | undefined> {
  try {
    if ((await stat(file)).size > mostBytes) return undefined;
    // An editor's document begins after the byte order mark.
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch {
    return "";
  }
}

/** The folder that holds the outermost package of a file. */
async function packageRoot(file: string): Promise<string> {
  let folder = path.dirname(file);
  while (await isThere(path.join(folder, "__init__.py"))) folder = path.dirname(folder);
  return folder;
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
