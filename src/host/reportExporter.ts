/** Asks where a report should go and writes it there in the chosen format. */
import path from "node:path";
import * as vscode from "vscode";
import type { Report } from "../diagnosis/report";
import type { ExportFormat } from "../protocol/messages";
import { exportName, fileStem, FileSaver } from "./fileSaver";
import { webviewFolder } from "./pageExporter";
import type { Reader } from "./reading/reader";
import { reportSuffix } from "./reports/reportStore";
import type { StatusLine } from "./statusLine";

/** A report that can be exported, with the means to draw it. */
export interface ExportSource {
  name: string;
  report: Report;
  png(): Promise<Uint8Array>;
}

/** Described when asked for: while this loads, the editor's language need not be known yet. */
const formats: Record<ExportFormat, { label: string; describe: () => string }> = {
  html: {
    label: "HTML",
    describe: () => vscode.l10n.t("one file with the charts, opens anywhere"),
  },
  json: { label: "JSON", describe: () => vscode.l10n.t("every number; opens in Fathom again") },
  csv: { label: "CSV", describe: () => vscode.l10n.t("one row for each layer") },
  png: { label: "PNG", describe: () => vscode.l10n.t("the three charts as a picture") },
};

export class ReportExporter {
  private readonly saver: FileSaver;

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly reader: Pick<Reader, "reportContent">,
    memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
    told: StatusLine,
  ) {
    this.saver = new FileSaver(memory, log, told);
  }

  async pickFormat(): Promise<ExportFormat | undefined> {
    const items = (Object.keys(formats) as ExportFormat[]).map((format) => ({
      format,
      label: formats[format].label,
      description: formats[format].describe(),
    }));
    const choice = await vscode.window.showQuickPick(items, {
      title: vscode.l10n.t("Export Report"),
      placeHolder: vscode.l10n.t("Which format?"),
    });
    return choice?.format;
  }

  async export(source: ExportSource, format: ExportFormat): Promise<void> {
    // Drawn before the dialog, so that the picture is of what the user saw when asking for it.
    const content = await this.contentOf(source, format);
    const target = await this.saver.save({
      title: vscode.l10n.t("Export Report as {0}", formats[format].label),
      label: formats[format].label,
      extension: format,
      // Under this name a report opens in the panel again.
      fileName:
        format === "json"
          ? `${fileStem(source.name)}${reportSuffix}`
          : exportName(source.name, format),
      // Beside the checkpoint, not within it.
      folder: path.dirname(source.report.checkpoint.path),
      content,
      opensOutside: format === "html",
    });
    if (target) this.log.info(`Exported the report of ${source.name} to ${target.fsPath}.`);
  }

  private contentOf(source: ExportSource, format: ExportFormat): Promise<Uint8Array> {
    if (format === "png") return source.png();
    return this.reader.reportContent(source.report, format, webviewFolder(this.extensionUri));
  }
}

/** A menu passes the URI of the editor that it belongs to; only a format counts. */
export function exportFormatOf(argument: unknown): ExportFormat | undefined {
  return (Object.keys(formats) as ExportFormat[]).find((format) => format === argument);
}
