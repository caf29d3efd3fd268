/** The `fathom.*` settings as they hold for one checkpoint. */
import path from "node:path";
import * as vscode from "vscode";
import type { DiagnosisRequest } from "../protocol/messages";
import { settingsSection } from "./ids";
import { requestOf } from "./requestOf";

export function requestFor(checkpoint: string, extensionUri: vscode.Uri): DiagnosisRequest {
  const resource = vscode.Uri.file(checkpoint);
  const folder =
    vscode.workspace.getWorkspaceFolder(resource) ?? vscode.workspace.workspaceFolders?.[0];
  const configuration = vscode.workspace.getConfiguration(
    settingsSection,
    // A checkpoint outside the workspace is measured with the settings of the open folder.
    folder?.uri ?? resource,
  );
  return requestOf(
    {
      value: (name) => configuration.get(name),
      isExplicit: (name) => {
        const levels = configuration.inspect(name);
        return [levels?.globalValue, levels?.workspaceValue, levels?.workspaceFolderValue].some(
          (value) => value !== undefined,
        );
      },
    },
    {
      checkpoint,
      textFolder: folder?.uri.fsPath ?? path.dirname(checkpoint),
      defaultText: vscode.Uri.joinPath(extensionUri, "media", "text", "default.txt").fsPath,
    },
  );
}
