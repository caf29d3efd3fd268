/** The editors and panels of a report, a comparison and a run, and how they come back with a window. */
import * as vscode from "vscode";
import { DirectoryEditor } from "./directory/directoryEditor";
import type { DirectoryServices } from "./directory/shownDirectory";
import { webviews } from "./ids";
import type { Reader } from "./reading/reader";
import { PanelRestorer } from "./reports/panelRestorer";
import { ReportEditor, type ReportEditorServices } from "./reports/reportEditor";
import type { Diagnoses } from "./diagnoses";

/** What fills its panel of an earlier window again. */
interface Restorer {
  restore(panel: vscode.WebviewPanel, state: unknown): Promise<void>;
}

export interface Views extends Omit<ReportEditorServices & DirectoryServices, "reader"> {
  reader: Reader;
  diagnoses: Diagnoses;
  /** Made when first asked for. */
  comparisons: () => Promise<Restorer>;
  runs: () => Promise<Restorer>;
}

/** @returns what ends all of it */
export function registerViews(views: Views): vscode.Disposable {
  const { guard, diagnoses, comparisons, runs } = views;
  return vscode.Disposable.from(
    vscode.window.registerCustomEditorProvider(webviews.report, new ReportEditor(views), {
      supportsMultipleEditorsPerDocument: true,
    }),
    vscode.window.registerCustomEditorProvider(webviews.directory, new DirectoryEditor(views), {
      supportsMultipleEditorsPerDocument: true,
    }),
    vscode.window.registerWebviewPanelSerializer(
      webviews.diagnosis,
      new PanelRestorer((panel, source) => diagnoses.restore(panel, source)),
    ),
    vscode.window.registerWebviewPanelSerializer(webviews.comparison, {
      deserializeWebviewPanel: async (panel, state) => {
        await guard.run("compare again", async () => (await comparisons()).restore(panel, state));
      },
    }),
    vscode.window.registerWebviewPanelSerializer(webviews.run, {
      deserializeWebviewPanel: async (panel, state) => {
        await guard.run("show the run", async () => (await runs()).restore(panel, state));
      },
    }),
  );
}
