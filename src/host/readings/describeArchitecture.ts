/** Writes what is known of a checkpoint's architecture into a fathom.json beside it, and opens that. */
import path from "node:path";
import * as vscode from "vscode";
import { writeWholeFile } from "../../report/wholeFile";
import type { Checkpoint } from "../checkpoint";
import type { Reader } from "../reading/reader";

/**
 * Asks before it writes over a file that is there. What is not understood, the file says in a comment of
 * its own.
 */
export async function describeArchitecture(
  checkpoint: Checkpoint,
  reader: Pick<Reader, "statementOf">,
): Promise<void> {
  const { file, isThere, text } = await reader.statementOf(checkpoint.path);
  if (isThere && !(await mayReplace(file))) return;
  await writeWholeFile(file, text);
  await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: false });
}

async function mayReplace(file: string): Promise<boolean> {
  const replace = vscode.l10n.t("Replace");
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t("{0} is there already.", path.basename(file)),
    {
      modal: true,
      detail: vscode.l10n.t("What it states would be replaced by what is found now. {0}", file),
    },
    replace,
  );
  return answer === replace;
}
