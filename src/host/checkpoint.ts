/** What the editor calls a checkpoint, from the file or folder that a person pointed at. */
import path from "node:path";

export interface Checkpoint {
  /** What was pointed at; the engine is given this. */
  path: string;
  /** One per checkpoint, whether its folder, its weight file or its shard index was chosen. */
  key: string;
  /** The shortest name that tells it from its neighbours, for example `pre-ln/4000`. */
  name: string;
}

/** @param workspaceFolder the folder that names are relative to, where there is one */
export function checkpointAt(file: string, workspaceFolder?: string): Checkpoint {
  const target = path.resolve(file);
  const key = isWholeFolder(path.basename(target)) ? path.dirname(target) : target;
  return { path: target, key, name: nameOf(key, workspaceFolder) };
}

/** How the names of files end that may be a checkpoint on their own: which are is told by reading them. */
export const checkpointFileEndings = [
  ".safetensors",
  ".safetensors.index.json",
  ".gguf",
  ".pt",
  ".pth",
  ".bin",
  ".ckpt",
] as const;

/** True for a file that may stand for a checkpoint on its own. */
export function isCheckpointFile(file: string): boolean {
  return checkpointFileEndings.some((ending) => file.endsWith(ending));
}

/** Hugging Face names of the one weight file, the shard index and the shards of a folder. */
function isWholeFolder(basename: string): boolean {
  return (
    basename === "model.safetensors" ||
    basename.endsWith(".safetensors.index.json") ||
    /-\d{5}-of-\d{5}\.safetensors$/.test(basename)
  );
}

function nameOf(key: string, workspaceFolder: string | undefined): string {
  if (workspaceFolder !== undefined) {
    const relative = path.relative(workspaceFolder, key);
    const inside = relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
    if (inside) return relative.split(path.sep).join("/");
  }
  return path.basename(key);
}
