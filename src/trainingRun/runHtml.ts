/** A run as one HTML file: the run panel's own script and style, and what was measured. */
import { pageHtml, type PanelAssets } from "../report/html";
import { runFindings } from "./runFindings";
import type { ExportedRun } from "./runReport";

export function runHtml(exported: ExportedRun, assets: PanelAssets): string {
  const content = {
    title: exported.name,
    sentences: runFindings(exported.run.steps),
    dataId: "fathom-run",
    data: exported,
  };
  return pageHtml(content, assets);
}
