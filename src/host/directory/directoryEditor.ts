/** The editor of checkpoints: their tensor directory, read-only. */
import type * as vscode from "vscode";
import type { DirectoryServices } from "./shownDirectory";

export class DirectoryEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(private readonly services: DirectoryServices) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor(
    { uri }: vscode.CustomDocument,
    panel: vscode.WebviewPanel,
  ): Promise<void> {
    // What few windows show is loaded when one does.
    const { ShownDirectory } = await import("./shownDirectory");
    await new ShownDirectory(uri, panel, this.services).refresh();
  }
}
