import path from "node:path";

/** The name of a file as the Python reader knows it: its path, with slashes everywhere. */
export function pathOf({ fsPath }: { fsPath: string }): string {
  return fsPath.replaceAll(path.sep, "/");
}
