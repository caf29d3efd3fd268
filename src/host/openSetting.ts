/** Leads a person to a setting. */
import * as vscode from "vscode";
import { settingsSection } from "./ids";
import type { SettingName } from "./requestOf";

export function openSetting(name: SettingName): void {
  const query = `${settingsSection}.${name}`;
  void vscode.commands.executeCommand("workbench.action.openSettings", query);
}
