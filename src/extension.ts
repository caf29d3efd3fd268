/** Composes the extension. Activation only registers; whatever is heavy is loaded when first used. */
import * as vscode from "vscode";
import type { ExportFormat } from "./protocol/messages";
import { startEngine } from "./engineClient";
import { CheckpointFolders } from "./host/checkpointFolders";
import { CheckpointPicker, namedCheckpoint } from "./host/checkpointPicker";
import { DepthTool } from "./host/depthTool";
import { DiagnoseCommand } from "./host/diagnoseCommand";
import { Diagnoses } from "./host/diagnoses";
import { Guard } from "./host/guard";
import { commands, tools, webviews } from "./host/ids";
import { registerPythonFeatures } from "./host/python/pythonFeatures";
import { ReportExporter } from "./host/reportExporter";
import { PanelRestorer } from "./host/reports/panelRestorer";
import { ReportEditor } from "./host/reports/reportEditor";
import { ReportMemory } from "./host/reports/reportMemory";
import { ReportStore } from "./host/reports/reportStore";
import { SidePanel } from "./host/side/sidePanel";
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
  const reports = new ReportStore(vscode.Uri.joinPath(storage, "reports").fsPath, {
    log,
    nameOf: (checkpointPath) => namedCheckpoint(checkpointPath).name,
  });
  const diagnoses = new Diagnoses(
    {
      extensionUri,
      log,
      guard,
      exporter,
      turnstile: new Turnstile(),
      memory: new ReportMemory(reports),
      startEngine: (request, onEvent) => startEngine(engine, request, onEvent),
    },
    reports,
  );
  const side = new SidePanel({
    extensionUri,
    memory: workspaceState,
    guard,
    folders,
    store: reports,
    openStored: (key) => diagnoses.openStored(key),
    showCurrent: () => {
      diagnoses.showCurrent();
    },
  });
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
