/** The report files of the workspace: what was exported or committed, beside what is stored. */
import * as vscode from "vscode";
import { reportSuffix } from "../reports/reportStore";
import type { ReportFile } from "./checkpointTree";

const glob = `**/*${reportSuffix}`;
/** A list of more is one that nobody reads. */
const mostFiles = 500;

export class ReportFiles implements vscode.Disposable {
  private found: Promise<readonly ReportFile[]> | undefined;
  private watcher: vscode.FileSystemWatcher | undefined;
  private readonly didChange = new vscode.EventEmitter<string>();
  /** The file of this path has come, gone or changed since they were listed. */
  readonly onDidChange = this.didChange.event;

  /** Found when first asked for, and anew after a change. */
  list(): Promise<readonly ReportFile[]> {
    this.watch();
    this.found ??= findAll();
    return this.found;
  }

  /** Looks at the disk anew when next asked. */
  forget(): void {
    this.found = undefined;
  }

  dispose(): void {
    this.watcher?.dispose();
    this.didChange.dispose();
  }

  private watch(): void {
    if (this.watcher !== undefined) return;
    this.watcher = vscode.workspace.createFileSystemWatcher(glob);
    const note = ({ fsPath }: vscode.Uri): void => {
      this.forget();
      this.didChange.fire(fsPath);
    };
    this.watcher.onDidCreate(note);
    this.watcher.onDidChange(note);
    this.watcher.onDidDelete(note);
  }
}

async function findAll(): Promise<readonly ReportFile[]> {
  const files = await vscode.workspace.findFiles(glob, "**/node_modules/**", mostFiles);
  return files.map((uri) => {
    const name = vscode.workspace.asRelativePath(uri);
    return { path: uri.fsPath, name, label: name.slice(0, -reportSuffix.length) };
  });
}
