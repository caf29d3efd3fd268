import path from "node:path";

/** The name of a file as the Python reader knows it: its path, with slashes everywhere. */
export function pathOf({ fsPath }: { fsPath: string }): string {
  return slashed(fsPath);
}

/** The same of a path that no URI has been made of, whose drive may be in upper case. */
export function slashed(file: string): string {
  return file.replaceAll(path.sep, "/").replace(/^[A-Z]:/, (drive) => drive.toLowerCase());
}
