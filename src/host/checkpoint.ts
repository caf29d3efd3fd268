/** What the editor calls a checkpoint, from the file or folder that a person pointed at. */
import path from "node:path";
import { isCheckpointName, standsForFolder } from "../checkpoint/weightFiles";

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
  const key = standsForFolder(path.basename(target)) ? path.dirname(target) : target;
  return { path: target, key, name: nameOf(key, workspaceFolder) };
}

/** True for a file that may stand for a checkpoint on its own. */
export function isCheckpointFile(file: string): boolean {
  return isCheckpointName(path.basename(file));
}

function nameOf(key: string, workspaceFolder: string | undefined): string {
  if (workspaceFolder !== undefined) {
    const relative = path.relative(workspaceFolder, key);
    const inside = relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
    if (inside) return relative.split(path.sep).join("/");
  }
  return path.basename(key);
}
