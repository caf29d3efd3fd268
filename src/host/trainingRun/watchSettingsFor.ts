/** The `fathom.watch.*` settings as they hold for one run. */
import * as vscode from "vscode";
import { settingsSection } from "../ids";
import { readWatchSettings, type WatchSettings } from "./watchSettings";

export function watchSettingsFor(folder: string): WatchSettings {
  const configuration = vscode.workspace.getConfiguration(settingsSection, vscode.Uri.file(folder));
  return readWatchSettings((name) => configuration.get(name));
}
