/** Leads a person to a setting. */
import * as vscode from "vscode";
import { settingsSection } from "./ids";
import type { SettingName, WatchSettingName } from "./requestOf";

export function openSetting(name: SettingName | WatchSettingName): void {
  const query = `${settingsSection}.${name}`;
  void vscode.commands.executeCommand("workbench.action.openSettings", query);
}
