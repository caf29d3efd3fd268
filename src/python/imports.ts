/** Which files an import means, told from their paths. */

/** A file as imports see it. */
interface Importable {
  readonly path: string;
  /** Its path as the names of a module: a package for its `__init__.py`. */
  readonly parts: readonly string[];
}

const importStatement =
  /(?:^|[;:])[ \t]*(?:from[ \t]*(\.*[\w.]*)[ \t]*import\b[ \t]*(\([^)]*\)|(?:\\\r?\n|[^\n;])+)|import[ \t]+((?:\\\r?\n|[^\n;])+))/gm;

/**
 * What a file imports, wherever it does: `.block.Block`, `torch.nn`. Told from its text, so that the
 * many files that have nothing to do with a model need not be parsed.
 */
export function importsIn(text: string): string[] {
  const found: string[] = [];
  for (const [, from, names, modules] of withoutRemarks(text).matchAll(importStatement)) {
    for (const item of (names ?? modules ?? "").replaceAll(/[()\\]/g, " ").split(",")) {
      const name = item.trim().split(/\s/, 1)[0]!;
      if (name !== "") found.push(from === undefined ? name : memberOf(from, name));
    }
  }
  return found;
}

/** Text in quotes may lose its end, which imports nothing. */
function withoutRemarks(text: string): string {
  return text.replaceAll(/#.*/g, "");
}

/** `from .block import Block` → `.block.Block`; of everything in a module, the module. */
function memberOf(from: string, name: string): string {
  if (name === "*") return from;
  return from.endsWith(".") ? from + name : `${from}.${name}`;
}

export class Imports {
  /** By the last part of the name, which every import of the file has. */
  private readonly byStem = new Map<string, Importable[]>();

  /** @param paths of all files, with slashes */
  constructor(paths: readonly string[]) {
    for (const path of paths) {
      const parts = path.replace(/(\/__init__)?\.pyi?$/, "").split("/");
      const stem = parts.at(-1)!;
      this.byStem.set(stem, [...(this.byStem.get(stem) ?? []), { path, parts }]);
    }
  }

  /**
   * The files that a module's name means in a file: those whose path has most of the name and, of
   * these, the nearest. Several where neither tells them apart.
   */
  filesOf(module: string, importer: string): string[] {
    const folder = importer.split("/").slice(0, -1);
    const level = /^\.*/.exec(module)![0].length;
    const names = module.split(".").filter((part) => part !== "");
    const wanted =
      level === 0 ? names : [...folder.slice(0, folder.length - (level - 1)), ...names];
    const named = (this.byStem.get(wanted.at(-1) ?? "") ?? []).filter(
      ({ path }) => path !== importer,
    );
    const alike = best(named, ({ parts }) => sharedEnd(parts, wanted));
    const near = best(alike, ({ parts }) => sharedStart(parts, folder));
    return best(near, ({ parts }) => -parts.length).map(({ path }) => path);
  }

  /** The files that an import reads: what is imported may be a module or something in one. */
  filesRead(imported: string, importer: string): string[] {
    const [, dots, name] = /^(\.*)(.*)$/.exec(imported)!;
    const parts = name!.split(".").filter((part) => part !== "");
    const modules = parts.map((_, index) => dots! + parts.slice(0, index + 1).join("."));
    if (dots !== "") modules.unshift(dots!);
    return modules.flatMap((module) => this.filesOf(module, importer));
  }
}

/**
 * The files whose code may use what some files define, and all that those are made of: what imports
 * them, through others too, and what any of these import.
 *
 * @param imports what each file imports, by its path
 * @param from paths of the files
 */
export function codeThatUses(
  imports: ReadonlyMap<string, readonly string[]>,
  from: Iterable<string>,
): Set<string> {
  const all = new Imports([...imports.keys()]);
  const read = new Map<string, readonly string[]>();
  const readBy = new Map<string, string[]>();
  for (const [path, names] of imports) {
    const files = [...new Set(names.flatMap((name) => all.filesRead(name, path)))];
    read.set(path, files);
    for (const file of files) readBy.set(file, [...(readBy.get(file) ?? []), path]);
  }
  const users = reached(from, readBy);
  return reached(users, read);
}

function reached(
  from: Iterable<string>,
  next: ReadonlyMap<string, readonly string[]>,
): Set<string> {
  const found = new Set(from);
  // A set's iteration meets what is added on the way.
  for (const path of found) {
    for (const other of next.get(path) ?? []) found.add(other);
  }
  return found;
}

function best<T>(items: readonly T[], score: (item: T) => number): T[] {
  const most = Math.max(...items.map(score));
  return items.filter((item) => score(item) === most);
}

function sharedStart(one: readonly string[], other: readonly string[]): number {
  const end = one.findIndex((part, index) => part !== other[index]);
  return end === -1 ? one.length : end;
}

function sharedEnd(one: readonly string[], other: readonly string[]): number {
  return sharedStart(one.toReversed(), other.toReversed());
}
