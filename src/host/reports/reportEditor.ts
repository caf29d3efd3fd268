/** Shows a `.fathom.json` file in the panel, read-only, and follows the file as it changes. */
import path from "node:path";
import * as vscode from "vscode";
import type { Report } from "../../diagnosis/report";
import type { ExportFormat, PanelState } from "../../protocol/messages";
import type { CurrentReport, Diagnoses } from "../diagnoses";
import { DiagnosisPanel } from "../diagnosisPanel";
import type { Guard } from "../guard";
import { webviews } from "../ids";
import { ReadingError, type Reader } from "../reading/reader";
import type { ReportExporter } from "../reportExporter";
import { reportSuffix } from "./reportStore";

export interface ReportEditorServices {
  extensionUri: vscode.Uri;
  guard: Guard;
  exporter: ReportExporter;
  reader: Pick<Reader, "readReport" | "parseReport">;
  /** Hears what a person looks at, and which layer they chose. */
  diagnoses: Pick<Diagnoses, "becameCurrent" | "choseLayer">;
}

export class ReportEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(private readonly services: ReportEditorServices) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  async resolveCustomEditor(
    document: vscode.CustomDocument,
    panel: vscode.WebviewPanel,
  ): Promise<void> {
    await new ReportFile(document.uri, panel, this.services).refresh();
  }
}

/** One report file on show. */
class ReportFile implements CurrentReport {
  private readonly panel: DiagnosisPanel;
  private readonly watcher: vscode.Disposable[];
  private state: PanelState | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly uri: vscode.Uri,
    panel: vscode.WebviewPanel,
    private readonly services: ReportEditorServices,
  ) {
    this.panel = new DiagnosisPanel(panel, services.extensionUri, services.guard, {
      // A file can be exported; there is nothing to run.
      received: (message) => {
        if (message.type === "layer") services.diagnoses.choseLayer(message.layer);
        return message.type === "export" ? this.export(message.format) : undefined;
      },
      closed: () => {
        this.isClosed = true;
        clearTimeout(this.timer);
        for (const part of this.watcher) part.dispose();
      },
      becameActive: () => {
        services.diagnoses.becameCurrent(this);
      },
    });
    this.watcher = this.watch();
  }

  get report(): Report | undefined {
    return this.state?.report;
  }

  show(): void {
    if (this.isClosed) {
      void vscode.commands.executeCommand("vscode.openWith", this.uri, webviews.report);
    } else this.panel.reveal();
  }

  highlight(layer: number | undefined): void {
    this.panel.highlight(layer);
  }

  async export(format?: ExportFormat): Promise<void> {
    const { exporter } = this.services;
    const { name, report } = this;
    if (report === undefined)
      throw new Error(vscode.l10n.t("{0} holds no report that can be read.", name));
    const chosen = format ?? (await exporter.pickFormat());
    if (chosen === undefined) return;
    await exporter.export({ name, report, png: () => this.panel.png() }, chosen);
  }

  /** Reads the file and shows the report, or what is wrong with it. */
  async refresh(): Promise<void> {
    const state = await this.read();
    if (this.isClosed) return;
    this.state = state;
    this.panel.show(state);
    if (this.panel.isVisible) this.services.diagnoses.becameCurrent(this);
  }

  get name(): string {
    return path.posix.basename(this.uri.path).replace(reportSuffix, "");
  }

  private async read(): Promise<PanelState> {
    const { name } = this;
    const { reader } = this.services;
    try {
      // The editor's own words for a file that is gone.
      await vscode.workspace.fs.stat(this.uri);
      // A file of an older commit is not on the disk.
      const report =
        this.uri.scheme === "file"
          ? await reader.readReport(this.uri.fsPath)
          : await reader.parseReport(await vscode.workspace.fs.readFile(this.uri));
      return { phase: "done", name, report, notices: [], origin: { kind: "file" } };
    } catch (error) {
      const reason =
        error instanceof ReadingError && error.name === "ReportFileError"
          ? vscode.l10n.t("This file cannot be shown as a report. {0}", error.message)
          : vscode.l10n.t("This file cannot be read. {0}", reasonOf(error));
      return { phase: "empty", name, reason, canRun: false, notices: [] };
    }
  }

  private watch(): vscode.Disposable[] {
    const folder = vscode.Uri.joinPath(this.uri, "..");
    // A pattern for the folder: a file's own name may hold what patterns are made of.
    const watcher = vscode.workspace.createFileSystemWatcher(
      new vscode.RelativePattern(folder, `*${reportSuffix}`),
    );
    const refreshSoon = (changed: vscode.Uri): void => {
      if (changed.toString() !== this.uri.toString()) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        void this.services.guard.run("read the report again", () => this.refresh());
      }, settleMs);
    };
    return [
      watcher,
      watcher.onDidChange(refreshSoon),
      watcher.onDidCreate(refreshSoon),
      watcher.onDidDelete(refreshSoon),
    ];
  }
}

/** What writes a file may do so in pieces, or delete it first. */
const settleMs = 300;

function reasonOf(error: unknown): string {
  if (error instanceof vscode.FileSystemError && error.code === "FileNotFound") {
    return vscode.l10n.t("It does not exist any more.");
  }
  return error instanceof Error ? error.message : String(error);
}
