/** Which reports may be of the code in a file, and in which folders their code is looked for. */
import path from "node:path";
import { sharedFolders } from "../side/nearest";

/** A report that may be of a model whose code is in the workspace. */
export interface KnownReport {
  key: string;
  name: string;
  /** When it was stored: what has the same key and time is the same. */
  savedAt: string;
  /** The checkpoint's file or folder. */
  checkpoint: string;
  /** A person keeps it in view, whatever file is open. */
  isPinned?: boolean;
}

/** The workspace folder that a file or folder lies in; undefined outside of all. */
export type RootOf = (file: string) => string | undefined;

export interface Candidate<T extends KnownReport = KnownReport> {
  known: T;
  /** A person said that it is of the code; then neither its place nor its family speaks against it. */
  isChosen: boolean;
}

/**
 * Those of the checkpoint that was chosen for the file; else those of the workspace folder that the
 * file lies in, and the one that is pinned, in the order in which they count: the pinned one, then
 * those whose checkpoint is nearest to the file, of these the newest. A pin says what a person looks
 * at, not whose code this is: where it does not fit, the others do.
 *
 * @param all the newest first
 * @param chosen the checkpoint that was chosen for the file
 */
export function candidateReports<T extends KnownReport>(
  file: string,
  all: readonly T[],
  chosen: string | undefined,
  rootOf: RootOf,
): Candidate<T>[] {
  if (chosen !== undefined) {
    return all
      .filter(({ checkpoint }) => checkpoint === chosen)
      .map((known) => ({ known, isChosen: true }));
  }
  return all
    .filter((known) => known.isPinned === true || isNear(file, known.checkpoint, rootOf))
    .sort((a, b) => rankOf(file, b) - rankOf(file, a))
    .map((known) => ({ known, isChosen: false }));
}

/**
 * The folders in which a checkpoint's code is looked for, the nearest first: above the checkpoint,
 * or above the file where the checkpoint lies elsewhere.
 */
export function codeFolders(file: string, checkpoint: string, rootOf: RootOf): string[] {
  const from = isNear(file, checkpoint, rootOf) ? path.resolve(checkpoint) : path.dirname(file);
  const root = rootOf(from);
  const folders: string[] = [];
  for (let at = from; ; at = path.dirname(at)) {
    folders.push(at);
    // A file outside of every workspace folder is looked at with those beside it.
    if (root === undefined || at === root || at === path.dirname(at)) return folders;
  }
}

function rankOf(file: string, { isPinned, checkpoint }: KnownReport): number {
  return isPinned === true ? Infinity : sharedFolders(file, checkpoint);
}

/** Only code of the workspace folder that the checkpoint lies in is its code by itself. */
function isNear(file: string, checkpoint: string, rootOf: RootOf): boolean {
  const root = rootOf(checkpoint);
  if (root === undefined) return false;
  const relative = path.relative(root, file);
  return !relative.startsWith("..") && !path.isAbsolute(relative);
}
