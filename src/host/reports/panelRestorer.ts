/** Brings the panels of a window back after a reload. */
import type * as vscode from "vscode";
import type { PanelSource } from "../../protocol/messages";
import { savedSource } from "../savedSource";

export class PanelRestorer implements vscode.WebviewPanelSerializer {
  constructor(
    private readonly restore: (panel: vscode.WebviewPanel, source: PanelSource) => Promise<void>,
  ) {}

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const source = sourceOf(state);
    // Closed before it was ever told what it shows.
    if (source === undefined) panel.dispose();
    else await this.restore(panel, source);
  }
}

/** What the webview kept, which an older version of it may have written. */
function sourceOf(state: unknown): PanelSource | undefined {
  const { checkpoint, reportKey } = savedSource(state);
  if (typeof checkpoint !== "string") return undefined;
  return { checkpoint, ...(typeof reportKey === "string" && { reportKey }) };
}
