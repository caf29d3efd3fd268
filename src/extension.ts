/** Composes the extension. Activation only registers; whatever is heavy is loaded when first used. */
import * as vscode from "vscode";
import type { ExportFormat } from "./protocol/messages";
import { startEngine } from "./engineClient";
import { CheckpointFolders } from "./host/checkpointFolders";
import { CheckpointPicker, namedCheckpoint } from "./host/checkpointPicker";
import type { Comparisons } from "./host/compare/comparisons";
import { DepthTool } from "./host/depthTool";
import { DiagnoseCommand } from "./host/diagnoseCommand";
import { Diagnoses } from "./host/diagnoses";
import type { StartEngine } from "./host/diagnosisRun";
import { FileSaver } from "./host/fileSaver";
import { Guard } from "./host/guard";
import { commands, innerCommands, tools, webviews } from "./host/ids";
import { registerPythonFeatures } from "./host/python/pythonFeatures";
import { ReportExporter } from "./host/reportExporter";
import { PanelRestorer } from "./host/reports/panelRestorer";
import { ReportEditor } from "./host/reports/reportEditor";
import { ReportMemory } from "./host/reports/reportMemory";
import { ReportStore } from "./host/reports/reportStore";
import { DiagnosedReports } from "./host/reportSource";
import { requestFor } from "./host/settings";
import { SidePanel } from "./host/side/sidePanel";
import type { TrainingRuns } from "./host/trainingRun/trainingRuns";
import { Turnstile } from "./host/turnstile";

export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri, globalState, workspaceState, subscriptions } = context;
  const log = vscode.window.createOutputChannel("Fathom", { log: true });
  const guard = new Guard(log);
  const folders = new CheckpointFolders(log);
  const engine = vscode.Uri.joinPath(extensionUri, "dist", "engine.js").fsPath;
  const exporter = new ReportExporter(extensionUri, globalState, log);
  // A window without a folder has no storage of its own.
  const storage = context.storageUri ?? context.globalStorageUri;
  const store = new ReportStore(vscode.Uri.joinPath(storage, "reports").fsPath, {
    log,
    nameOf: (checkpointPath) => namedCheckpoint(checkpointPath).name,
  });
  const measuring = {
    turnstile: new Turnstile(),
    memory: new ReportMemory(store),
    startEngine: ((request, onEvent) => startEngine(engine, request, onEvent)) as StartEngine,
  };
  const diagnoses = new Diagnoses({ extensionUri, log, guard, exporter, ...measuring }, store);
  const side = new SidePanel({
    extensionUri,
    memory: workspaceState,
    guard,
    folders,
    store,
    openStored: (key) => diagnoses.openStored(key),
    showCurrent: () => {
      diagnoses.showCurrent();
    },
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
      const kept = store;
      const made = new Comparisons({ extensionUri, log, guard, folders, reports, saver, kept });
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
    side,
    diagnoses.onDidShow((shown) => {
      side.followPanel(shown);
    }),
    diagnoses.onDidChooseLayer((layer) => {
      side.highlight(layer);
    }),
    side.onDidChooseLayer((layer) => {
      diagnoses.highlight(layer);
    }),
    vscode.window.registerCustomEditorProvider(
      webviews.report,
      new ReportEditor({
        extensionUri,
        guard,
        exporter,
        becameCurrent: (report) => {
          diagnoses.becameCurrent(report);
        },
        choseLayer: (layer) => {
          diagnoses.choseLayer(layer);
        },
      }),
      { supportsMultipleEditorsPerDocument: true },
    ),
    vscode.window.registerWebviewPanelSerializer(
      webviews.diagnosis,
      new PanelRestorer((panel, source) => diagnoses.restore(panel, source)),
    ),
    registerPythonFeatures({
      extensionUri,
      log,
      guard,
      reports: side.reports,
      openStored: (key) => diagnoses.openStored(key),
    }),
    vscode.lm.registerTool(tools.depth, new DepthTool((uri) => diagnose.run(uri))),
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
