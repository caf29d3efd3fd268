/** Deletes report files as the explorer does: to the trash where there is one, and after asking. */
import { platform } from "node:process";
import * as vscode from "vscode";
import type { ReportFile } from "./checkpointTree";

/**
 * Asks before anything is deleted, and says what becomes of the files.
 *
 * @returns deletes them, and throws what the file system said of those it could not delete;
 *   undefined where the user let it be
 */
export async function agreedDeletion(
  files: readonly ReportFile[],
): Promise<(() => Promise<void>) | undefined> {
  const useTrash = usesTrash();
  const question =
    files.length === 1
      ? vscode.l10n.t("Delete the report file {0}?", files[0]!.name)
      : vscode.l10n.t("Delete {0} report files?", files.length);
  const { detail, yes } = useTrash ? trashWords(files.length) : permanentWords();
  const options = { modal: true, detail };
  if ((await vscode.window.showWarningMessage(question, options, yes)) !== yes) return undefined;
  return () => deleteFiles(files, useTrash);
}

interface Words {
  /** What becomes of the files. */
  detail: string;
  /** On the button that agrees. */
  yes: string;
}

/** Only the desktop has a trash, for its own disk's files; its users may have turned that off. */
function usesTrash(): boolean {
  const { remoteName, uiKind } = vscode.env;
  const isDesktop = remoteName === undefined && uiKind === vscode.UIKind.Desktop;
  return isDesktop && vscode.workspace.getConfiguration("files").get("enableTrash", true);
}

/** As the explorer calls the trash of the system. */
function trashWords(count: number): Words {
  if (platform === "win32") {
    return {
      detail:
        count === 1
          ? vscode.l10n.t("You can restore this file from the Recycle Bin.")
          : vscode.l10n.t("You can restore these files from the Recycle Bin."),
      yes: vscode.l10n.t("Move to Recycle Bin"),
    };
  }
  return {
    detail:
      count === 1
        ? vscode.l10n.t("You can restore this file from the Trash.")
        : vscode.l10n.t("You can restore these files from the Trash."),
    yes: vscode.l10n.t("Move to Trash"),
  };
}

function permanentWords(): Words {
  return {
    detail: vscode.l10n.t("This action is irreversible!"),
    yes: vscode.l10n.t("Delete Permanently"),
  };
}

/** One that cannot be deleted keeps none of the others. */
async function deleteFiles(files: readonly ReportFile[], useTrash: boolean): Promise<void> {
  const failures: string[] = [];
  for (const { path } of files) {
    try {
      await vscode.workspace.fs.delete(vscode.Uri.file(path), { useTrash });
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (failures.length > 0) throw new Error(failures.join(" "));
}
