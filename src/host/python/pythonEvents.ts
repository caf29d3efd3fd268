/** Tells what reads the Python code of what happens to it in the editor and on disk. */
import * as vscode from "vscode";
import type { PythonCode } from "./pythonCode";

export function followPythonEvents(code: PythonCode): vscode.Disposable {
  // Of a folder that goes, only the folder is told.
  const disk = vscode.workspace.createFileSystemWatcher("**/*");
  const listAnew = (): void => {
    code.filesListed();
  };
  return vscode.Disposable.from(
    disk,
    disk.onDidCreate(listAnew),
    disk.onDidDelete(listAnew),
    disk.onDidChange((uri) => {
      code.fileChanged(uri);
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      code.documentChanged(event);
    }),
    vscode.workspace.onDidCloseTextDocument((document) => {
      code.documentClosed(document);
    }),
  );
}
