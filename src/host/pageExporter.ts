/** Writes what a page shows where a person wants it, in the format they want. */
import * as vscode from "vscode";
import type { ExportFormat } from "../protocol/messages";
import { exportName, FileSaver } from "./fileSaver";
import type { TextFormat } from "./reading/reader";
import type { StatusLine } from "./statusLine";

/** What can be exported, each format made when it is asked for. */
export interface ExportedPage {
  /** Of the dialog, for the name of a format. */
  title: (label: string) => string;
  /** What the file is named after. */
  name: string;
  /** Where the dialog starts. */
  folder: string;
  /** @param webview the folder of the bundles that a page is made of */
  content: (format: TextFormat, webview: string) => Promise<Uint8Array>;
  /** A `data:image/png;base64,…` URL, which only the page can draw. */
  png: string | undefined;
}

export class PageExporter {
  private readonly saver: FileSaver;

  constructor(
    private readonly extensionUri: vscode.Uri,
    memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
    told: StatusLine,
  ) {
    this.saver = new FileSaver(memory, log, told);
  }

  async export(page: ExportedPage, format: ExportFormat): Promise<void> {
    const label = format.toUpperCase();
    const target = await this.saver.save({
      title: page.title(label),
      label,
      extension: format,
      fileName: exportName(page.name, format),
      folder: page.folder,
      content: await this.contentOf(page, format),
      opensOutside: format === "html",
    });
    if (target) this.log.info(`Exported ${page.name} to ${target.fsPath}.`);
  }

  private async contentOf(page: ExportedPage, format: ExportFormat): Promise<Uint8Array> {
    if (format === "png") return pngBytes(page.png);
    return page.content(format, webviewFolder(this.extensionUri));
  }
}

/** The folder of the bundles that pages are made of. */
export function webviewFolder(extensionUri: vscode.Uri): string {
  return vscode.Uri.joinPath(extensionUri, "dist", "webview").fsPath;
}

function pngBytes(dataUrl: string | undefined): Uint8Array {
  const prefix = "data:image/png;base64,";
  if (dataUrl?.startsWith(prefix) !== true)
    throw new Error(vscode.l10n.t("the page drew no PNG image."));
  return Buffer.from(dataUrl.slice(prefix.length), "base64");
}
