/**
 * Hears which files and folders the explorer shows: it asks for the decoration of each row as that
 * comes into sight, which no other interface tells an extension. Fathom decorates none.
 */
import * as vscode from "vscode";

export class ExplorerRows implements vscode.FileDecorationProvider, vscode.Disposable {
  private readonly didChange = new vscode.EventEmitter<undefined>();
  readonly onDidChangeFileDecorations = this.didChange.event;
  private readonly registrations: vscode.Disposable;

  /** @param shown hears of each by its path, and anew when the window is turned to again */
  constructor(private readonly shown: (file: string) => void) {
    this.registrations = vscode.Disposable.from(
      vscode.window.registerFileDecorationProvider(this),
      vscode.window.onDidChangeWindowState(({ focused }) => {
        // A training in a terminal elsewhere may have written checkpoints meanwhile.
        if (focused) this.didChange.fire(undefined);
      }),
    );
  }

  provideFileDecoration(uri: vscode.Uri): undefined {
    const isInWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
    if (uri.scheme === "file" && isInWorkspace) this.shown(uri.fsPath);
  }

  dispose(): void {
    this.registrations.dispose();
    this.didChange.dispose();
  }
}
