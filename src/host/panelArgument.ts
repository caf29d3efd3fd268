/** What the title of an editor passes to a command where it has no file to pass. */
import * as vscode from "vscode";

/** True for what only names a panel, or the group of editors that it is in. */
export function isOfPanel(argument: unknown): boolean {
  return argument instanceof vscode.Uri
    ? argument.scheme !== "file"
    : typeof argument === "object" && argument !== null && "groupId" in argument;
}
