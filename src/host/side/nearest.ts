/** Which measured checkpoint a file of the workspace belongs to, judged by where both lie. */
import path from "node:path";

/** Something that lies somewhere, and may have been measured. */
export interface Placed {
  /** The checkpoint's file or folder. */
  path: string;
  /** When its report was saved, as an ISO 8601 time; absent where there is none. */
  savedAt?: string;
}

/**
 * Those whose path shares the most folders with `file`, the newest report first: what lies in the
 * same folder is nearer than what lies beside its parent. A file of a checkpoint is nearest to that
 * checkpoint.
 *
 * @param within nothing outside this folder is near; without it nothing is too far
 */
export function nearestTo<Item extends Placed>(
  file: string,
  items: readonly Item[],
  within?: string,
): Item[] {
  const floor = within === undefined ? 0 : stepsOf(within).length;
  const near = items
    .map((item) => ({ item, shared: sharedFolders(file, item.path) }))
    .filter(({ shared }) => shared >= Math.max(1, floor));
  const closest = Math.max(...near.map(({ shared }) => shared));
  return near
    .filter(({ shared }) => shared === closest)
    .map(({ item }) => item)
    .sort((a, b) => (b.savedAt ?? "").localeCompare(a.savedAt ?? ""));
}

/** How many folders the paths of two files or folders begin with in common. */
export function sharedFolders(one: string, other: string): number {
  const [a, b] = [stepsOf(one), stepsOf(other)];
  let shared = 0;
  while (shared < a.length && shared < b.length && a[shared] === b[shared]) shared++;
  return shared;
}

function stepsOf(file: string): string[] {
  return path
    .resolve(file)
    .split(path.sep)
    .filter((step) => step !== "");
}
