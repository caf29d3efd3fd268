/** The webview that lays several reports over each other. */
import * as vscode from "vscode";
import type { ComparisonToHost, HostToComparison } from "../../protocol/comparison";
import type { Guard } from "../guard";
import { webviews } from "../ids";
import { panelHtml } from "../panelHtml";

export interface ComparisonPanelOwner {
  received(message: Exclude<ComparisonToHost, { type: "ready" }>): unknown;
  closed(): void;
}

export class ComparisonPanel implements vscode.Disposable {
  private isReady = false;
  private message: HostToComparison | undefined;

  /** @param panel one of an earlier window, to be filled again; a new one unless given */
  constructor(
    title: string,
    extensionUri: vscode.Uri,
    guard: Guard,
    private readonly owner: ComparisonPanelOwner,
    private readonly panel: vscode.WebviewPanel = vscode.window.createWebviewPanel(
      webviews.comparison,
      title,
      vscode.ViewColumn.Active,
    ),
  ) {
    const root = vscode.Uri.joinPath(extensionUri, "dist", "webview");
    const icons = vscode.Uri.joinPath(extensionUri, "media", "icons");
    this.panel.iconPath = {
      light: vscode.Uri.joinPath(icons, "depth-light.svg"),
      dark: vscode.Uri.joinPath(icons, "depth-dark.svg"),
    };
    const { webview } = this.panel;
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    webview.onDidReceiveMessage((message: ComparisonToHost) => {
      void guard.run("do what the comparison asked", () => this.receive(message));
    });
    this.panel.onDidDispose(() => {
      owner.closed();
    });
    this.panel.onDidChangeViewState(() => {
      // A hidden webview is thrown away; it says `ready` anew once it is back.
      if (!this.panel.visible) this.isReady = false;
    });
    webview.html = panelHtml({
      title,
      source: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(root, "compare.js")).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(root, "compare.css")).toString(),
    });
  }

  show(message: HostToComparison): void {
    this.message = message;
    if (this.isReady) void this.panel.webview.postMessage(message);
  }

  dispose(): void {
    this.panel.dispose();
  }

  private receive(message: ComparisonToHost): unknown {
    if (message.type !== "ready") return this.owner.received(message);
    this.isReady = true;
    if (this.message) void this.panel.webview.postMessage(this.message);
    return undefined;
  }
}
