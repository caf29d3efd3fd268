/**
 * Whether a folder or file is one that .gitignore names: the rules of every .gitignore from the root
 * of the repository down to it, the deeper before the shallower, and of .git/info/exclude. The
 * files are read rather than `git` asked: a workspace that is not trusted must start no program, and
 * machines that train often have none.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import ignore, { type Ignore, type TestResult } from "ignore";

/** Answers for many folders; what it has read it keeps, so ask one for each search. */
export class GitIgnore {
  private readonly rules = new Map<string, Promise<Ignore | undefined>>();
  private readonly roots = new Map<string, Promise<string | undefined>>();

  /** @param folder an absolute path */
  async ignores(folder: string): Promise<boolean> {
    const root = await this.repositoryOf(folder);
    if (root === undefined) return false;
    const steps = stepsFrom(root, folder);
    // What lies in an ignored folder is ignored, whatever the rules below it say.
    for (let depth = 1; depth <= steps.length; depth++) {
      if (await this.names(root, steps.slice(0, depth), "/")) return true;
    }
    return false;
  }

  /**
   * Whether every one of a folder's files is ignored, with the folder or by its own name; false where
   * there are none.
   *
   * @param folder an absolute path
   * @param names of files in it
   */
  async ignoresAll(folder: string, names: readonly string[]): Promise<boolean> {
    if (await this.ignores(folder)) return true;
    const root = await this.repositoryOf(folder);
    if (root === undefined) return false;
    const steps = stepsFrom(root, folder);
    for (const name of names) {
      if (!(await this.names(root, [...steps, name], ""))) return false;
    }
    return names.length > 0;
  }

  /**
   * Whether the rules name this very folder or file; the last rule of the deepest file that speaks of
   * it wins.
   *
   * @param ending `/` of a folder
   */
  private async names(root: string, steps: readonly string[], ending: "/" | ""): Promise<boolean> {
    for (let depth = steps.length - 1; depth >= 0; depth--) {
      const rules = await this.rulesIn(path.join(root, ...steps.slice(0, depth)));
      const verdict = rules && ownVerdict(rules, steps.slice(depth), ending);
      if (verdict?.ignored === true) return true;
      if (verdict?.unignored === true) return false;
    }
    const excluded = await this.readRules(path.join(root, ".git", "info", "exclude"));
    return excluded !== undefined && ownVerdict(excluded, steps, ending).ignored;
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

/**
 * What the rules say of a path by itself. They would ignore all that lies in a folder which they
 * name, though a deeper file has taken that folder back.
 */
function ownVerdict(rules: Ignore, steps: readonly string[], ending: "/" | ""): TestResult {
  const folders = steps.slice(0, -1).map((_, index) => steps.slice(0, index + 1));
  const named = folders.filter((folder) => rules.ignores(`${folder.join("/")}/`));
  const own =
    named.length === 0
      ? rules
      : ignore()
          .add(rules)
          .add(named.map((folder) => `!/${folder.map(asRule).join("/")}/`));
  return own.test(`${steps.join("/")}${ending}`);
}

/** A name as a rule for it alone. */
function asRule(name: string): string {
  return name.replace(/[\\*?[\]! #]/g, "\\$&");
}

function stepsFrom(root: string, target: string): string[] {
  return path.relative(root, target).split(path.sep).filter(Boolean);
}
