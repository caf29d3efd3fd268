import type { ModuleFile } from "./structure";

/**
 * The files that share a model with one of them: those that it imports, those that import it, and so
 * on. Another model in the same folder is none of its business.
 *
 * @param path of the file, as it stands in `files`
 */
export function connectedFiles(files: readonly ModuleFile[], path: string): ModuleFile[] {
  const neighbours = new Map(files.map((file) => [file, new Set<ModuleFile>()]));
  for (const file of files) {
    for (const imported of importsOf(file, files)) {
      neighbours.get(file)!.add(imported);
      neighbours.get(imported)!.add(file);
    }
  }
  const connected = new Set(files.filter((file) => file.path === path));
  // A set's iteration meets what is added on the way.
  for (const file of connected) {
    for (const neighbour of neighbours.get(file)!) connected.add(neighbour);
  }
  return files.filter((file) => connected.has(file));
}

function importsOf(file: ModuleFile, files: readonly ModuleFile[]): ModuleFile[] {
  const ends = new Set<string>();
  for (const meaning of file.module.names.values()) {
    const parts = meaning.split(".").filter((part) => part !== "");
    // What is imported may be a module or something in one.
    for (let length = 1; length <= parts.length; length++) {
      const module = parts.slice(0, length).join("/");
      ends.add(`/${module}.py`).add(`/${module}/__init__.py`);
    }
  }
  return files.filter(
    (other) => other !== file && [...ends].some((end) => `/${other.path}`.endsWith(end)),
  );
}
