/**
 * Reads a checkpoint's tensor directory, by itself: what is loaded for it is loaded before a person sees
 * anything.
 */
import path from "node:path";
import { statementName } from "../../checkpoint/checkpoint";
import { openCheckpoint } from "../../checkpoint/open";
import type { PackedDirectory } from "../../protocol/directory";
import { directoryOf } from "../../report/directoryOf";

/** A checkpoint's tensor directory, packed to pass between threads. @throws CheckpointError */
export async function readDirectory(file: string): Promise<PackedDirectory> {
  const checkpoint = await openCheckpoint(file);
  const directory = directoryOf(checkpoint);
  const beside = ["config.json", "tokenizer.json", statementName];
  return {
    directory: new TextEncoder().encode(JSON.stringify(directory)),
    folder: checkpoint.folder,
    names: [path.basename(checkpoint.directoryFile), ...beside],
    files: directory.files,
  };
}
