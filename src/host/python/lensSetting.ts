/** The setting that switches the lenses off. */
import * as vscode from "vscode";
import { settingsSection, viewSettings } from "../ids";

/** Whether a person wants numbers above the norms of a document. */
export function areLensesShown(document: vscode.TextDocument): boolean {
  const configuration = vscode.workspace.getConfiguration(settingsSection, document);
  return configuration.get(viewSettings.codeLens) !== false;
}
