/** Composes the extension. Activation only registers; whatever is heavy is loaded when first used. */
import * as vscode from "vscode";
import type { ExportFormat } from "./protocol/messages";
import { startEngine } from "./engineClient";
import { CheckpointFolders } from "./host/checkpointFolders";
import { CheckpointPicker } from "./host/checkpointPicker";
import type { Comparisons } from "./host/compare/comparisons";
import { DiagnoseCommand } from "./host/diagnoseCommand";
import { Diagnoses } from "./host/diagnoses";
import type { StartEngine } from "./host/diagnosisRun";
import { FileSaver } from "./host/fileSaver";
import { Guard } from "./host/guard";
import { commands, innerCommands, webviews } from "./host/ids";
import { ReportExporter } from "./host/reportExporter";
import { DiagnosedReports } from "./host/reportSource";
import { requestFor } from "./host/settings";
import type { TrainingRuns } from "./host/trainingRun/trainingRuns";
import { Turnstile } from "./host/turnstile";

export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri, globalState, workspaceState, subscriptions } = context;
  const log = vscode.window.createOutputChannel("Fathom", { log: true });
  const guard = new Guard(log);
  const folders = new CheckpointFolders(log);
  const engine = vscode.Uri.joinPath(extensionUri, "dist", "engine.js").fsPath;
  const measuring = {
    turnstile: new Turnstile(),
    startEngine: ((request, onEvent) => startEngine(engine, request, onEvent)) as StartEngine,
  };
  const diagnoses = new Diagnoses({
    extensionUri,
    log,
    guard,
    exporter: new ReportExporter(extensionUri, globalState, log),
    ...measuring,
  });
  const reports = new DiagnosedReports({
    requestFor: (checkpoint) => requestFor(checkpoint, extensionUri),
    ...measuring,
  });
  let madeRuns: Promise<TrainingRuns> | undefined;
  const runs = (): Promise<TrainingRuns> => {
    madeRuns ??= import("./host/trainingRun/trainingRuns").then(({ TrainingRuns }) => {
      const made = new TrainingRuns(folders, reports, { extensionUri, log, guard });
      subscriptions.push(made);
      return made;
    });
    return madeRuns;
  };
  let madeComparisons: Promise<Comparisons> | undefined;
  const comparisons = (): Promise<Comparisons> => {
    madeComparisons ??= import("./host/compare/comparisons").then(({ Comparisons }) => {
      const saver = new FileSaver(globalState, log);
      const made = new Comparisons({ extensionUri, log, guard, folders, reports, saver });
      subscriptions.push(made);
      return made;
    });
    return madeComparisons;
  };
  const diagnose = new DiagnoseCommand(new CheckpointPicker(folders, workspaceState), diagnoses);

  subscriptions.push(
    log,
    folders,
    diagnoses,
    vscode.commands.registerCommand(commands.diagnoseDepth, (target, selection) =>
      guard.run("diagnose the checkpoint", () => diagnose.run(target, selection)),
    ),
    vscode.commands.registerCommand(commands.exportReport, (format?: unknown) =>
      guard.run("export the report", () => diagnoses.exportCurrent(exportFormatOf(format))),
    ),
    vscode.commands.registerCommand(commands.showReport, () =>
      guard.run("show the report", () => {
        diagnoses.showCurrent();
      }),
    ),
    vscode.commands.registerCommand(commands.showLog, () => {
      log.show();
    }),
    vscode.commands.registerCommand(commands.compare, (target, selection) =>
      guard.run("compare", async () => (await comparisons()).run(target, selection)),
    ),
    vscode.window.registerWebviewPanelSerializer(webviews.comparison, {
      deserializeWebviewPanel: async (panel, state) => {
        await guard.run("compare again", async () => (await comparisons()).restore(panel, state));
      },
    }),
    vscode.commands.registerCommand(commands.diagnoseRun, (target, selection) =>
      guard.run("diagnose the run", async () => (await runs()).diagnose(target, selection)),
    ),
    vscode.commands.registerCommand(commands.watchRun, (target, selection) =>
      guard.run("watch the run", async () => (await runs()).watch(target, selection)),
    ),
    vscode.commands.registerCommand(commands.stopWatchingRun, () =>
      guard.run("stop watching", async () => (await runs()).stopWatching()),
    ),
    vscode.commands.registerCommand(innerCommands.showRun, (folder: unknown) =>
      guard.run("show the run", async () => {
        (await runs()).show(folder);
      }),
    ),
  );
  // The search need not hold up the activation of what comes after this extension.
  setImmediate(() => {
    folders.start();
  });
}

/** A menu passes the URI of the editor that it belongs to; only a format counts. */
function exportFormatOf(argument: unknown): ExportFormat | undefined {
  const formats: ExportFormat[] = ["json", "csv", "png", "html"];
  return formats.find((format) => format === argument);
}
