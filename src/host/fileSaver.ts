/** Asks where a file should go, writes it whole, and says where it is. */
import path from "node:path";
import * as vscode from "vscode";
import { FileWriteError, writeWholeFile } from "../report/wholeFile";
import type { StatusLine } from "./statusLine";

export interface FileToSave {
  /** Of the dialog. */
  title: string;
  /** What the file is, in the dialog's list of kinds. */
  label: string;
  extension: string;
  fileName: string;
  /** Where the dialog starts unless another folder was chosen before. */
  folder: string;
  content: string | Uint8Array;
  /** A page is opened in the browser, not in the editor. */
  opensOutside: boolean;
}

const lastFolderKey = "lastExportFolder";

export class FileSaver {
  constructor(
    private readonly memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
    private readonly told: StatusLine,
  ) {}

  /** @returns where it was written; undefined when the user let it be */
  async save(file: FileToSave): Promise<vscode.Uri | undefined> {
    const folder = this.memory.get<string>(lastFolderKey) ?? file.folder;
    let suggestion = path.join(folder, file.fileName);
    for (;;) {
      const target = await vscode.window.showSaveDialog({
        title: file.title,
        defaultUri: vscode.Uri.file(suggestion),
        filters: { [file.label]: [file.extension] },
      });
      if (target === undefined) return undefined;
      try {
        await writeWholeFile(target.fsPath, file.content);
      } catch (error) {
        if (!(error instanceof FileWriteError) || !(await this.offerElsewhere(error))) {
          return undefined;
        }
        suggestion = target.fsPath;
        continue;
      }
      await this.memory.update(lastFolderKey, path.dirname(target.fsPath));
      this.tell(target, file);
      return target;
    }
  }

  private async offerElsewhere(error: FileWriteError): Promise<boolean> {
    this.log.error(error.message, error.cause);
    const elsewhere = vscode.l10n.t("Save Elsewhere…");
    return (await vscode.window.showErrorMessage(error.message, elsewhere)) === elsewhere;
  }

  /** There is nothing to decide: whoever wants to see the file follows the status bar. */
  private tell(target: vscode.Uri, { opensOutside }: FileToSave): void {
    this.told.tell({
      text: `$(check) ${vscode.l10n.t("Fathom: open {0}", path.basename(target.fsPath))}`,
      tooltip: vscode.l10n.t("Exported to {0}. Click to open it.", target.fsPath),
      follow: () =>
        opensOutside
          ? vscode.env.openExternal(target)
          : vscode.commands.executeCommand("vscode.open", target),
    });
  }
}

/** `fathom-pre-ln-step-2600.csv` */
export function exportName(name: string, extension: string): string {
  return `fathom-${fileStem(name)}.${extension}`;
}

/** What a checkpoint's name can stand for in a file's: `pre-ln-step-2600`. */
export function fileStem(name: string): string {
  const safe = name.replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return safe === "" ? "report" : safe;
}
