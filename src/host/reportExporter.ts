/** Asks where a report should go and writes it there in the chosen format. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import type { Report } from "../diagnosis/report";
import type { ExportFormat } from "../protocol/messages";
import { reportCsv } from "../report/csv";
import { reportHtml } from "../report/html";
import { reportSuffix } from "./reports/reportStore";
import { FileWriteError, writeWholeFile } from "../report/wholeFile";

/** A report that can be exported, with the means to draw it. */
export interface ExportSource {
  name: string;
  report: Report;
  png(): Promise<Uint8Array>;
}

const lastFolderKey = "lastExportFolder";

const formats: Record<ExportFormat, { label: string; description: string }> = {
  html: { label: "HTML", description: "one file with the charts, opens anywhere" },
  json: { label: "JSON", description: "every number; opens in Fathom again" },
  csv: { label: "CSV", description: "one row for each layer" },
  png: { label: "PNG", description: "the three charts as a picture" },
};

export class ReportExporter {
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  async pickFormat(): Promise<ExportFormat | undefined> {
    const items = (Object.keys(formats) as ExportFormat[]).map((format) => ({
      format,
      ...formats[format],
    }));
    const choice = await vscode.window.showQuickPick(items, {
      title: "Export Report",
      placeHolder: "Which format?",
    });
    return choice?.format;
  }

  async export(source: ExportSource, format: ExportFormat): Promise<void> {
    // Drawn before the dialog, so that the picture is of what the user saw when asking for it.
    const content = await this.contentOf(source, format);
    let suggestion = path.join(this.folderFor(source.report), fileNameOf(source.name, format));
    for (;;) {
      const target = await vscode.window.showSaveDialog({
        title: `Export Report as ${formats[format].label}`,
        defaultUri: vscode.Uri.file(suggestion),
        filters: { [formats[format].label]: [format] },
      });
      if (target === undefined) return;
      try {
        await writeWholeFile(target.fsPath, content);
      } catch (error) {
        if (!(error instanceof FileWriteError) || !(await this.offerElsewhere(error))) return;
        suggestion = target.fsPath;
        continue;
      }
      await this.memory.update(lastFolderKey, path.dirname(target.fsPath));
      this.log.info(`Exported the report of ${source.name} to ${target.fsPath}.`);
      this.offerToOpen(target, format);
      return;
    }
  }

  private async contentOf(
    source: ExportSource,
    format: ExportFormat,
  ): Promise<string | Uint8Array> {
    switch (format) {
      case "json":
        return `${JSON.stringify(source.report, null, 2)}\n`;
      case "csv":
        return reportCsv(source.report);
      case "html": {
        const asset = (name: string): Promise<string> =>
          readFile(vscode.Uri.joinPath(this.extensionUri, "dist", "webview", name).fsPath, "utf8");
        const [script, style] = await Promise.all([asset("panel.js"), asset("panel.css")]);
        return reportHtml(source.report, { script, style });
      }
      case "png":
        return source.png();
    }
  }

  /** The last folder chosen, else beside the checkpoint (not within it). */
  private folderFor(report: Report): string {
    return this.memory.get<string>(lastFolderKey) ?? path.dirname(report.checkpoint.path);
  }

  private async offerElsewhere(error: FileWriteError): Promise<boolean> {
    this.log.error(error.message, error.cause);
    const elsewhere = "Save Elsewhere…";
    return (await vscode.window.showErrorMessage(error.message, elsewhere)) === elsewhere;
  }

  private offerToOpen(target: vscode.Uri, format: ExportFormat): void {
    const open = "Open";
    void vscode.window
      .showInformationMessage(`Exported to ${target.fsPath}`, open)
      .then((choice) => {
        if (choice !== open) return undefined;
        return format === "html"
          ? vscode.env.openExternal(target)
          : vscode.commands.executeCommand("vscode.open", target);
      });
  }
}

function fileNameOf(name: string, format: ExportFormat): string {
  const safe = name.replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  const stem = safe === "" ? "report" : safe;
  return format === "json" ? `${stem}${reportSuffix}` : `fathom-${stem}.${format}`;
}
