/** The webview that shows one report, or a diagnosis as it comes, wherever the editor put it. */
import * as vscode from "vscode";
import type { NormSummary } from "../diagnosis/report";
import type { HostToPanel, PanelSource, PanelState, PanelToHost } from "../protocol/messages";
import { withoutDocuments } from "../report/withoutDocuments";
import type { Guard } from "./guard";
import { webviews } from "./ids";
import { panelHtml } from "./panelHtml";

/** What a person can ask of a panel, as the owner of the diagnosis answers it. */
export interface PanelOwner {
  received(message: Exclude<PanelToHost, { type: "ready" } | { type: "png" }>): unknown;
  closed(): void;
  becameActive(): void;
}

const pngPatienceMs = 15_000;

export class DiagnosisPanel implements vscode.Disposable {
  private readonly pictures = new Map<number, (png: Uint8Array | Error) => void>();
  private message: HostToPanel | undefined;
  /** What was last chosen elsewhere; the page knows itself what was chosen in it. */
  private layer: { type: "layer"; layer?: number } | undefined;
  /** Not gone to yet; the page itself keeps the one that it went to. */
  private norm: NormSummary | undefined;
  private isReady = false;
  private whenReady: (() => void)[] = [];
  private lastRequestId = 0;
  private isDisposed = false;

  /** @param panel a new one, one that was restored, or the editor's own for a file */
  constructor(
    private readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    private readonly guard: Guard,
    private readonly owner: PanelOwner,
  ) {
    const root = vscode.Uri.joinPath(extensionUri, "dist", "webview");
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    const icons = vscode.Uri.joinPath(extensionUri, "media", "icons");
    this.panel.iconPath = {
      light: vscode.Uri.joinPath(icons, "depth-light.svg"),
      dark: vscode.Uri.joinPath(icons, "depth-dark.svg"),
    };
    webview.onDidReceiveMessage((message: PanelToHost) => {
      void this.guard.run("do what the panel asked", () => this.receive(message));
    });
    this.panel.onDidDispose(() => {
      this.end();
    });
    this.panel.onDidChangeViewState(() => {
      // A hidden webview is thrown away; it says `ready` anew once it is back.
      if (!this.panel.visible) this.isReady = false;
      if (this.panel.active) this.owner.becameActive();
    });
    webview.html = panelHtml({
      source: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(root, "panel.js")).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(root, "panel.css")).toString(),
    });
  }

  get isVisible(): boolean {
    return this.panel.visible;
  }

  get column(): vscode.ViewColumn | undefined {
    return this.panel.viewColumn;
  }

  /** @param source what the webview shall keep for the next window */
  show(state: PanelState, source?: PanelSource): void {
    this.message = { type: "state", state: slim(state), ...(source !== undefined && { source }) };
    if (this.isReady) this.post(this.message);
  }

  /** Highlights a layer by its index; undefined lets go. */
  highlight(layer: number | undefined): void {
    this.layer = { type: "layer", ...(layer !== undefined && { layer }) };
    if (this.isReady) this.post(this.layer);
  }

  /** Goes to a norm of the report on show, once, when the page can. */
  goToNorm(norm: NormSummary): void {
    this.norm = norm;
    if (this.isReady) this.sendNorm();
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  /** Asks the page for its charts; they are drawn there, in the colours on screen. */
  async png(): Promise<Uint8Array> {
    this.reveal();
    const requestId = ++this.lastRequestId;
    const answer = new Promise<Uint8Array | Error>((resolve) => {
      this.pictures.set(requestId, resolve);
    });
    const timer = setTimeout(() => {
      this.answer(requestId, new Error(vscode.l10n.t("the panel did not answer.")));
    }, pngPatienceMs);
    const ask = (): void => {
      this.post({ type: "renderPng", requestId });
    };
    if (this.isReady) ask();
    else this.whenReady.push(ask);
    const picture = await answer;
    clearTimeout(timer);
    if (picture instanceof Error) throw picture;
    return picture;
  }

  dispose(): void {
    this.panel.dispose();
  }

  private receive(message: PanelToHost): unknown {
    switch (message.type) {
      case "ready":
        this.isReady = true;
        if (this.message !== undefined) this.post(this.message);
        if (this.layer !== undefined) this.post(this.layer);
        this.sendNorm();
        for (const waiting of this.whenReady.splice(0)) waiting();
        return undefined;
      case "png":
        this.answer(message.requestId, pngOf(message));
        return undefined;
      case "cancel":
      case "finish":
      case "runAgain":
      case "chooseTokens":
      case "export":
        return this.owner.received(message);
      case "layer":
        this.layer = message;
        return this.owner.received(message);
    }
  }

  private answer(requestId: number, picture: Uint8Array | Error): void {
    this.pictures.get(requestId)?.(picture);
    this.pictures.delete(requestId);
  }

  private sendNorm(): void {
    if (this.norm !== undefined) this.post({ type: "norm", norm: this.norm });
    this.norm = undefined;
  }

  private post(message: HostToPanel): void {
    if (!this.isDisposed) void this.panel.webview.postMessage(message);
  }

  private end(): void {
    this.isDisposed = true;
    for (const requestId of [...this.pictures.keys()]) {
      this.answer(requestId, new Error(vscode.l10n.t("the panel was closed.")));
    }
    this.owner.closed();
  }
}

/** Opens an empty panel for a checkpoint, without taking the focus from the code. */
export function createPanel(name: string, column: vscode.ViewColumn): vscode.WebviewPanel {
  return vscode.window.createWebviewPanel(webviews.diagnosis, vscode.l10n.t("Depth of {0}", name), {
    viewColumn: column,
    preserveFocus: true,
  });
}

/** The figures of single documents are most of a report, and the panel shows none of them. */
function slim(state: PanelState): PanelState {
  return state.report === undefined ? state : { ...state, report: withoutDocuments(state.report) };
}

function pngOf({ dataUrl, error }: { dataUrl?: string; error?: string }): Uint8Array | Error {
  const prefix = "data:image/png;base64,";
  if (dataUrl?.startsWith(prefix) === true) {
    return Buffer.from(dataUrl.slice(prefix.length), "base64");
  }
  return new Error(error ?? vscode.l10n.t("the panel's answer was not a PNG image."));
}
