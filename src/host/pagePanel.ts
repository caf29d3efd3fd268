/** A webview panel with one of the extension's pages, and the messages it exchanges with it. */
import * as vscode from "vscode";
import type { Doing } from "./doings";
import type { Guard } from "./guard";
import { panelHtml } from "./panelHtml";

export interface PageServices {
  extensionUri: vscode.Uri;
  guard: Guard;
}

/** Who answers for what a page shows. */
export interface PageOwner<ToPage, FromPage extends { type: string }> {
  /** What a page that has just been drawn is told. */
  messages(): ToPage[];
  received(message: Exclude<FromPage, { type: "ready" }>): unknown;
  closed(): void;
  becameActive?(): void;
}

/** Names of the bundles in dist/webview. */
export type PageName = "compare" | "directory" | "run";

/** Messages that say how far a run is; more of them than a person can see are left out. */
const pauseMs = 100;

export class PagePanel<ToPage, FromPage extends { type: string }> implements vscode.Disposable {
  private isReady = false;
  private isDisposed = false;
  private pending: ToPage | undefined;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param panel a new one, or one of an earlier window
   * @param doing what failed when the page's wish could not be met
   */
  constructor(
    private readonly panel: vscode.WebviewPanel,
    page: PageName,
    { extensionUri, guard }: PageServices,
    private readonly owner: PageOwner<ToPage, FromPage>,
    doing: Doing,
  ) {
    const root = vscode.Uri.joinPath(extensionUri, "dist", "webview");
    const icons = vscode.Uri.joinPath(extensionUri, "media", "icons");
    panel.iconPath = {
      light: vscode.Uri.joinPath(icons, "depth-light.svg"),
      dark: vscode.Uri.joinPath(icons, "depth-dark.svg"),
    };
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    webview.onDidReceiveMessage((message: FromPage) => {
      void guard.run(doing, () => this.receive(message));
    });
    panel.onDidDispose(() => {
      this.isDisposed = true;
      clearTimeout(this.timer);
      owner.closed();
    });
    panel.onDidChangeViewState(() => {
      // A hidden webview is thrown away; it says `ready` anew once it is back.
      if (!panel.visible) this.isReady = false;
      if (panel.active) owner.becameActive?.();
    });
    webview.html = panelHtml({
      source: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(root, `${page}.js`)).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(root, `${page}.css`)).toString(),
    });
  }

  get isVisible(): boolean {
    return this.panel.visible;
  }

  /** True while it has the keyboard. */
  get isActive(): boolean {
    return this.panel.active;
  }

  /** Sends what the page shows, which takes the place of what was to be sent soon. */
  post(message: ToPage): void {
    this.pending = undefined;
    this.send(message);
  }

  /** Of several messages in a moment sends the last. */
  postSoon(message: ToPage): void {
    this.pending = message;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      if (this.pending) this.send(this.pending);
      this.pending = undefined;
    }, pauseMs);
  }

  /** Names its tab anew, where it shows more or less than before. */
  rename(title: string): void {
    if (!this.isDisposed && this.panel.title !== title) this.panel.title = title;
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel.dispose();
  }

  private receive(message: FromPage): unknown {
    if (message.type !== "ready")
      return this.owner.received(message as Exclude<FromPage, { type: "ready" }>);
    this.isReady = true;
    for (const one of this.owner.messages()) this.send(one);
    return undefined;
  }

  private send(message: ToPage): void {
    if (this.isReady && !this.isDisposed) void this.panel.webview.postMessage(message);
  }
}
