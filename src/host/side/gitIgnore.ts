/**
 * Whether a folder is one that .gitignore names: the rules of every .gitignore from the root of the
 * repository down to the folder, the deeper before the shallower, and of .git/info/exclude. The
 * files are read rather than `git` asked: a workspace that is not trusted must start no program, and
 * machines that train often have none.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import ignore, { type Ignore } from "ignore";

/** Answers for many folders; what it has read it keeps, so ask one for each search. */
export class GitIgnore {
  private readonly rules = new Map<string, Promise<Ignore | undefined>>();
  private readonly roots = new Map<string, Promise<string | undefined>>();

  /** @param folder an absolute path */
  async ignores(folder: string): Promise<boolean> {
    const root = await this.repositoryOf(folder);
    if (root === undefined) return false;
    const steps = path.relative(root, folder).split(path.sep).filter(Boolean);
    // What lies in an ignored folder is ignored, whatever the rules below it say.
    for (let depth = 1; depth <= steps.length; depth++) {
      if (await this.namesFolder(root, steps.slice(0, depth))) return true;
    }
    return false;
  }

  /** Whether the rules name this very folder; the last rule of the deepest file that speaks of it wins. */
  private async namesFolder(root: string, steps: readonly string[]): Promise<boolean> {
    for (let depth = steps.length - 1; depth >= 0; depth--) {
      const rules = await this.rulesIn(path.join(root, ...steps.slice(0, depth)));
      const verdict = rules?.test(`${steps.slice(depth).join("/")}/`);
      if (verdict?.ignored === true) return true;
      if (verdict?.unignored === true) return false;
    }
    const excluded = await this.readRules(path.join(root, ".git", "info", "exclude"));
    return excluded?.ignores(`${steps.join("/")}/`) ?? false;
  }

  private rulesIn(folder: string): Promise<Ignore | undefined> {
    return this.readRules(path.join(folder, ".gitignore"));
  }

  private readRules(file: string): Promise<Ignore | undefined> {
    const known = this.rules.get(file);
    if (known !== undefined) return known;
    const read = readFile(file, "utf8").then(
      (text) => ignore().add(text),
      // No such file, or none that can be read: it names nothing.
      () => undefined,
    );
    this.rules.set(file, read);
    return read;
  }

  /** The nearest folder, `folder` included, that holds a `.git`. */
  private repositoryOf(folder: string): Promise<string | undefined> {
    const known = this.roots.get(folder);
    if (known !== undefined) return known;
    const parent = path.dirname(folder);
    const found = stat(path.join(folder, ".git")).then(
      () => folder,
      () => (parent === folder ? undefined : this.repositoryOf(parent)),
    );
    this.roots.set(folder, found);
    return found;
  }
}
