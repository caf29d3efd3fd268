/** Writes what a page shows where a person wants it, in the format they want. */
import { readFile } from "node:fs/promises";
import * as vscode from "vscode";
import type { ExportFormat } from "../protocol/messages";
import type { PanelAssets } from "../report/html";
import { exportName, FileSaver } from "./fileSaver";
import type { PageName } from "./pagePanel";

/** What can be exported, each format made when it is asked for. */
export interface ExportedPage {
  page: PageName;
  /** Of the dialog, for the name of a format. */
  title: (label: string) => string;
  /** What the file is named after. */
  name: string;
  /** Where the dialog starts. */
  folder: string;
  json: () => unknown;
  csv: () => string;
  html: (assets: PanelAssets) => string;
  /** A `data:image/png;base64,…` URL, which only the page can draw. */
  png: string | undefined;
}

export class PageExporter {
  private readonly saver: FileSaver;

  constructor(
    private readonly extensionUri: vscode.Uri,
    memory: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.saver = new FileSaver(memory, log);
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

  private async contentOf(page: ExportedPage, format: ExportFormat): Promise<string | Uint8Array> {
    switch (format) {
      case "json":
        return `${JSON.stringify(page.json(), null, 2)}\n`;
      case "csv":
        return page.csv();
      case "html":
        return page.html(await pageAssets(this.extensionUri, page.page));
      case "png":
        return pngBytes(page.png);
    }
  }
}

/** The bundle of a page, as text. */
export async function pageAssets(
  extensionUri: vscode.Uri,
  page: PageName | "panel",
): Promise<PanelAssets> {
  const asset = (name: string): Promise<string> =>
    readFile(vscode.Uri.joinPath(extensionUri, "dist", "webview", name).fsPath, "utf8");
  const [script, style] = await Promise.all([asset(`${page}.js`), asset(`${page}.css`)]);
  return { script, style };
}

function pngBytes(dataUrl: string | undefined): Uint8Array {
  const prefix = "data:image/png;base64,";
  if (dataUrl?.startsWith(prefix) !== true)
    throw new Error(vscode.l10n.t("the page drew no PNG image."));
  return Buffer.from(dataUrl.slice(prefix.length), "base64");
}
