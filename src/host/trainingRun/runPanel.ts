/** The webview that shows a training run as it is measured. */
import * as vscode from "vscode";
import type { HostToRun, RunToHost } from "../../protocol/messages";
import type { Guard } from "../guard";
import { webviews } from "../ids";
import { panelHtml } from "../panelHtml";

/** What the panel needs of whoever owns the run. */
export interface RunPanelOwner {
  /** What a page that has just been drawn is told. */
  messages(): HostToRun[];
  received(message: Exclude<RunToHost, { type: "ready" }>): unknown;
  closed(): void;
  becameActive(): void;
}

/** Messages that say how far a run is; more of them than a person can see are left out. */
const statusPauseMs = 100;

export class RunPanel implements vscode.Disposable {
  private readonly panel: vscode.WebviewPanel;
  private isReady = false;
  private isDisposed = false;
  private pending: HostToRun | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    name: string,
    extensionUri: vscode.Uri,
    guard: Guard,
    private readonly owner: RunPanelOwner,
  ) {
    const root = vscode.Uri.joinPath(extensionUri, "dist", "webview");
    const title = vscode.l10n.t("Run {0}", name);
    this.panel = vscode.window.createWebviewPanel(
      webviews.run,
      title,
      { viewColumn: vscode.ViewColumn.Active, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [root] },
    );
    const icons = vscode.Uri.joinPath(extensionUri, "media", "icons");
    this.panel.iconPath = {
      light: vscode.Uri.joinPath(icons, "depth-light.svg"),
      dark: vscode.Uri.joinPath(icons, "depth-dark.svg"),
    };
    const { webview } = this.panel;
    webview.onDidReceiveMessage((message: RunToHost) => {
      void guard.run("do what the panel asked", () => this.receive(message));
    });
    this.panel.onDidDispose(() => {
      this.isDisposed = true;
      clearTimeout(this.timer);
      owner.closed();
    });
    this.panel.onDidChangeViewState(() => {
      // A hidden webview is thrown away; it says `ready` anew once it is back.
      if (!this.panel.visible) this.isReady = false;
      if (this.panel.active) owner.becameActive();
    });
    webview.html = panelHtml({
      title,
      source: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(root, "run.js")).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(root, "run.css")).toString(),
    });
  }

  get isVisible(): boolean {
    return this.panel.visible;
  }

  /** Sends what the page shows; of several states of progress in a moment, the last. */
  post(message: HostToRun): void {
    if (message.type !== "status") {
      this.pending = undefined;
      this.send(message);
      return;
    }
    this.pending = message;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.pending) this.send(this.pending);
      this.pending = undefined;
    }, statusPauseMs);
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel.dispose();
  }

  private receive(message: RunToHost): unknown {
    if (message.type !== "ready") return this.owner.received(message);
    this.isReady = true;
    for (const one of this.owner.messages()) this.send(one);
    return undefined;
  }

  private send(message: HostToRun): void {
    if (this.isReady && !this.isDisposed) void this.panel.webview.postMessage(message);
  }
}
