/** The webview in the side bar that shows the selected report as small charts. */
import * as vscode from "vscode";
import type { NormSummary } from "../../diagnosis/report";
import type { HostToSide, SideState, SideToHost } from "../../protocol/messages";
import { withoutDocuments } from "../../report/withoutDocuments";
import type { Guard } from "../guard";
import { panelHtml } from "../panelHtml";
import type { Selection } from "./selection";

/** What a person can ask of the charts. */
export interface ChartsOwner {
  received(message: Exclude<SideToHost, { type: "ready" }>): unknown;
}

/** What the code under the cursor is about: one layer, or a norm that all layers share. */
export interface AtCursor {
  layer?: number;
  norm?: NormSummary;
}

export class ChartsView implements vscode.WebviewViewProvider {
  private view: vscode.WebviewView | undefined;
  private isReady = false;
  private layer: number | undefined;
  /** The layer that the cursor in the code is at, whatever is chosen since. */
  private layerAtCursor: number | undefined;
  private norm: NormSummary | undefined;

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly guard: Guard,
    private readonly selection: Selection,
    private readonly owner: ChartsOwner,
  ) {
    selection.onDidChange(() => {
      this.showState();
    });
  }

  get isVisible(): boolean {
    return this.view?.visible === true;
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.isReady = false;
    const { webview } = view;
    const root = vscode.Uri.joinPath(this.extensionUri, "dist", "webview");
    webview.options = { enableScripts: true, localResourceRoots: [root] };
    webview.onDidReceiveMessage((message: SideToHost) => {
      void this.guard.run("do what the charts asked", () => this.receive(message));
    });
    view.onDidChangeVisibility(() => {
      // A hidden webview is thrown away; it says `ready` anew once it is back.
      if (!view.visible) this.isReady = false;
    });
    view.onDidDispose(() => {
      if (this.view === view) this.view = undefined;
    });
    webview.html = panelHtml({
      source: webview.cspSource,
      script: webview.asWebviewUri(vscode.Uri.joinPath(root, "side.js")).toString(),
      style: webview.asWebviewUri(vscode.Uri.joinPath(root, "side.css")).toString(),
    });
  }

  /** Highlights a layer by its index; undefined lets go. */
  highlight(layer: number | undefined): void {
    if (layer === this.layer) return;
    this.layer = layer;
    this.showLayer();
  }

  /** Shows what the cursor in the code is at; what a person chose meanwhile stays when it leaves. */
  followCursor({ layer, norm }: AtCursor): void {
    if (norm?.path !== this.norm?.path || norm?.feeds !== this.norm?.feeds) {
      this.norm = norm;
      this.showNorm();
    }
    if (layer === this.layerAtCursor) return;
    const isLeft = this.layer === this.layerAtCursor;
    this.layerAtCursor = layer;
    if (layer !== undefined || isLeft) this.highlight(layer);
  }

  private receive(message: SideToHost): unknown {
    switch (message.type) {
      case "ready":
        this.isReady = true;
        this.showState();
        this.showLayer();
        this.showNorm();
        // Nothing was looked up while nobody could see it.
        return this.selection.update();
      case "layer":
        this.layer = message.layer;
        return this.owner.received(message);
      case "open":
      case "diagnose":
      case "showIgnored":
        return this.owner.received(message);
    }
  }

  private showState(): void {
    if (this.view === undefined) return;
    const { state } = this.selection.selected;
    const isPinned = state.kind === "report" && state.shown.isPinned;
    this.view.description = isPinned ? vscode.l10n.t("pinned") : "";
    this.post({ type: "state", state: slim(state) });
  }

  private showLayer(): void {
    this.post({ type: "layer", ...(this.layer !== undefined && { layer: this.layer }) });
  }

  private showNorm(): void {
    this.post({ type: "norm", ...(this.norm !== undefined && { norm: this.norm }) });
  }

  private post(message: HostToSide): void {
    if (this.isReady) void this.view?.webview.postMessage(message);
  }
}

/** The figures of single documents are most of a report, and no chart shows them. */
function slim(state: SideState): SideState {
  if (state.kind !== "report") return state;
  return { ...state, shown: { ...state.shown, report: withoutDocuments(state.shown.report) } };
}
