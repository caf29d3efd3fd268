/** Norms that were found in code, for as long as none of its files changes. */
import type { NormMatches } from "../../python/matchNorms";
import type { ModuleFile } from "../../python/structure";

interface Kept {
  files: readonly ModuleFile[];
  matches: Promise<NormMatches>;
}

/** Questions about a few dozen models in a few folders. */
const mostKept = 200;

export class KeptMatches {
  private readonly kept = new Map<string, Kept>();

  /**
   * What `find` once found for the same question in the same files, each as it was read; else what it
   * finds now. One answer to a question is kept: that for the files of the last time.
   */
  of(
    question: string,
    files: readonly ModuleFile[],
    find: () => Promise<NormMatches>,
  ): Promise<NormMatches> {
    const before = this.kept.get(question);
    if (before !== undefined && isSame(before.files, files)) return before.matches;
    const matches = find();
    this.kept.delete(question);
    this.kept.set(question, { files, matches });
    const [oldest] = this.kept.keys();
    if (this.kept.size > mostKept && oldest !== undefined) this.kept.delete(oldest);
    return matches;
  }
}

/** A file that has changed is another object. */
function isSame(before: readonly ModuleFile[], now: readonly ModuleFile[]): boolean {
  return before.length === now.length && before.every((file, index) => file === now[index]);
}
