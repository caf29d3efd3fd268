/** Writes a file whole or not at all, and says in a person's words why it could not. */
import { randomBytes } from "node:crypto";
import { access, constants, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { t } from "@vscode/l10n";

/**
 * Writes beside the target and renames over it, so that a full disk leaves the old file as it was.
 *
 * @throws {FileWriteError}
 */
export async function writeWholeFile(file: string, content: string | Uint8Array): Promise<void> {
  // A rename would replace a symlink itself; its target is what the user chose to write.
  const target = await realpath(file).catch(() => file);
  if (await isSpecial(target)) {
    // A device or a pipe is written to; renaming over it would put a file in its place.
    await writeFile(target, content).catch((error: unknown) => {
      throw new FileWriteError(file, error);
    });
    return;
  }
  const temporary = temporaryBeside(target);
  try {
    const handle = await open(temporary, "wx");
    try {
      await handle.writeFile(content);
      // Some file systems find out only here that they are full.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new FileWriteError(file, error);
  }
}

/**
 * Finds out before a long run what would otherwise be known only after it.
 *
 * @throws {FileWriteError} when the file's folder does not exist or takes no file
 */
export async function checkWritable(file: string): Promise<void> {
  const target = await realpath(file).catch(() => path.resolve(file));
  const isFolder = await stat(target).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isFolder) throw new FileWriteError(file, Object.assign(new Error(), { code: "EISDIR" }));
  const temporary = temporaryBeside(target);
  try {
    if (await isSpecial(target)) {
      await access(target, constants.W_OK);
    } else {
      // Permissions do not tell it all: some file systems refuse new files whatever these say.
      await (await open(temporary, "wx")).close();
      await rm(temporary);
    }
  } catch (error) {
    throw new FileWriteError(file, error);
  }
}

function temporaryBeside(target: string): string {
  const suffix = randomBytes(4).toString("hex");
  return path.join(path.dirname(target), `.${path.basename(target)}.${suffix}`);
}

async function isSpecial(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => !stats.isFile() && !stats.isDirectory(),
    () => false,
  );
}

export class FileWriteError extends Error {
  constructor(
    readonly file: string,
    cause: unknown,
  ) {
    super(t("{0} could not be written: {1}.", file, reasonOf(cause)), { cause });
    this.name = "FileWriteError";
  }
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return t("there is no space left on the disk");
    case "EACCES":
    case "EPERM":
      return t("permission was denied");
    case "EROFS":
      return t("the disk is read-only");
    case "ENOENT":
    case "ENOTDIR":
      return t("its folder does not exist");
    case "EISDIR":
      return t("a folder has that name");
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
