/** Tells the side panel what the cursor in the code is at, once it rests. */
import * as vscode from "vscode";
import type { Report } from "../../diagnosis/report";
import type { Guard } from "../guard";
import type { AtCursor } from "../side/chartsView";
import type { CodeReports } from "../side/sidePanel";
import { atCursor } from "./atCursor";
import type { MeasuredNorm, MeasuredNorms } from "./measuredNorms";

/** What is shown of a report beside the code. */
export interface ShownReport {
  readonly shownReport: Report | undefined;
  followCursor(at: AtCursor): void;
  followCode(code: CodeReports): void;
}

/** How long the cursor rests before it is followed. */
const restMs = 100;

export class CursorFollower implements vscode.Disposable {
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  private stop = new AbortController();

  constructor(
    private readonly norms: MeasuredNorms,
    private readonly shown: ShownReport,
    private readonly guard: Guard,
  ) {
    this.subscriptions = [
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => {
        if (textEditor === vscode.window.activeTextEditor) this.followSoon();
      }),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        // A panel that is turned to leaves the code as it is.
        if (editor !== undefined) this.followSoon();
      }),
    ];
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.stop.abort();
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  private followSoon(): void {
    clearTimeout(this.timer);
    this.stop.abort();
    this.timer = setTimeout(() => {
      this.stop = new AbortController();
      void this.guard.run("find the norms in the code", () => this.follow(this.stop.signal));
    }, restMs);
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const report = this.shown.shownReport;
    if (editor?.document.uri.scheme !== "file") return;
    if (report === undefined) {
      this.shown.followCursor({});
      return;
    }
    const position = editor.selection.active;
    const line = { text: editor.document.lineAt(position).text, column: position.character };
    const norm = await this.normAt(editor.document, position, signal);
    if (!signal.aborted) this.shown.followCursor(atCursor(line, report, norm));
  }

  private async normAt(
    document: vscode.TextDocument,
    position: vscode.Position,
    signal: AbortSignal,
  ): Promise<MeasuredNorm | undefined> {
    if (document.languageId !== "python") return undefined;
    const norms = await this.norms.known(document, signal);
    return norms?.measured.find(
      ({ site }) => document.positionAt(site.start).line === position.line,
    );
  }
}
