/**
 * Knows the folders of the workspace that hold a checkpoint (config.json with safetensors), and
 * tells the explorer's context menu through a context key.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import { contextKeys } from "./ids";

export class CheckpointFolders implements vscode.Disposable {
  private readonly folders = new Set<string>();
  private readonly disposables: vscode.Disposable[] = [];

  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** Watches, and begins to search without waiting for the result. */
  start(): void {
    const recheck = (file: vscode.Uri): void => {
      void this.check([path.dirname(file.fsPath)]);
    };
    for (const pattern of ["**/*.safetensors", "**/config.json"]) {
      const watcher = vscode.workspace.createFileSystemWatcher(pattern, false, true, false);
      watcher.onDidCreate(recheck);
      watcher.onDidDelete(recheck);
      this.disposables.push(watcher);
    }
    this.disposables.push(
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        void this.search();
      }),
    );
    void this.search();
  }

  /** Searches anew; the folders in the order of their paths. */
  async search(): Promise<string[]> {
    try {
      const files = await vscode.workspace.findFiles("**/*.safetensors", "**/node_modules/**");
      const found = new Set(files.map((file) => path.dirname(file.fsPath)));
      // A folder deleted whole sends no event for the files that were in it.
      await this.check([...new Set([...found, ...this.folders])]);
    } catch (error) {
      this.log.error("The search for checkpoint folders failed.", error);
    }
    return [...this.folders].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private async check(candidates: string[]): Promise<void> {
    await Promise.all(
      candidates.map(async (folder) => {
        if (await holdsCheckpoint(folder)) this.folders.add(folder);
        else this.folders.delete(folder);
      }),
    );
    // `resourcePath` is the file system path on the desktop and the URI's path in a browser.
    const paths = [...this.folders].flatMap((folder) => [folder, vscode.Uri.file(folder).path]);
    await vscode.commands.executeCommand("setContext", contextKeys.checkpointFolders, [
      ...new Set(paths),
    ]);
    this.log.debug(`${this.folders.size} checkpoint folders in the workspace.`);
  }
}

async function holdsCheckpoint(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.includes("config.json") && names.some((name) => name.endsWith(".safetensors"));
}
