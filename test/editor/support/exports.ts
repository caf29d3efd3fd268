/** What a page's export buttons write, looked at as files. */
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "vitest";
import { screenshots, type Workbench } from "./workbench";

export interface Exported {
  json: unknown;
  csv: string[];
  png: { width: number; height: number };
  /** Path of the page. */
  html: string;
}

/** Presses every export button of the panel and answers the dialog. */
export async function exportAll(workbench: Workbench, name: string): Promise<Exported> {
  const write = async (format: string): Promise<string> => {
    const file = workbench.exportPath(`fathom-${name}.${format}`);
    await workbench.panel.button(format.toUpperCase()).click();
    await workbench.saveAs(file);
    await workbench.statusLine(`Exported to ${file}`).waitFor();
    return file;
  };
  const json: unknown = JSON.parse(readFileSync(await write("json"), "utf8"));
  const csv = readFileSync(await write("csv"), "utf8")
    .trimEnd()
    .split("\r\n");
  const picture = readFileSync(await write("png"));
  expect(picture.subarray(1, 4).toString("latin1")).toBe("PNG");
  mkdirSync(screenshots, { recursive: true });
  const png = { width: picture.readUInt32BE(16), height: picture.readUInt32BE(20) };
  return { json, csv, png, html: await write("html") };
}

/**
 * Opens an exported page in a browser of no editor and leaves a picture of it.
 *
 * @returns how many charts it has drawn, its formats, and what it asked of the network
 */
export async function openExported(
  workbench: Workbench,
  file: string,
): Promise<{ charts: number; formats: string[]; requests: string[]; text: string }> {
  const page = await workbench.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(`file://${file}`);
  await page.locator("figure.chart canvas").last().waitFor();
  await page.waitForTimeout(500);
  const opened = {
    charts: await page.locator("figure.chart canvas:visible").count(),
    formats: await page.locator(".exports vscode-button").allTextContents(),
    requests: requests.filter((url) => /^https?:/.test(url)),
    text: (await page.locator("main").textContent()) ?? "",
  };
  const picture = `${path.basename(file, ".html")}.html.png`;
  await page.screenshot({ path: path.join(screenshots, picture), fullPage: true });
  await page.close();
  return opened;
}
