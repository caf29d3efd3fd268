/** Tells what reads the Python code of what happens to it in the editor and on disk. */
import * as vscode from "vscode";
import type { CodeChanges } from "./codeChanges";
import type { PythonCode } from "./pythonCode";

/** @param changes told of each event after `code`, so that whoever asks then is answered as things stand */
export function followPythonEvents(code: PythonCode, changes: CodeChanges): vscode.Disposable {
  // Of a folder that goes, only the folder is told.
  const disk = vscode.workspace.createFileSystemWatcher("**/*");
  const listAnew = (uri: vscode.Uri): void => {
    code.filesListed();
    changes.listed(uri);
  };
  return vscode.Disposable.from(
    disk,
    disk.onDidCreate(listAnew),
    disk.onDidDelete(listAnew),
    disk.onDidChange((uri) => {
      code.fileChanged(uri);
      changes.written(uri);
    }),
    vscode.workspace.onDidChangeTextDocument((event) => {
      code.documentChanged(event);
      // Without any, only whether it is saved has changed.
      if (event.contentChanges.length > 0) changes.edited(event.document);
    }),
    vscode.workspace.onDidSaveTextDocument((document) => {
      changes.saved(document);
    }),
    vscode.workspace.onDidCloseTextDocument((document) => {
      code.documentClosed(document);
      changes.closed(document);
    }),
  );
}
