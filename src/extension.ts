/** Composes the extension. Activation only registers; whatever is heavy is loaded when first used. */
import * as vscode from "vscode";
import type { ExportFormat } from "./protocol/messages";
import { startEngine } from "./engineClient";
import { CheckpointFolders } from "./host/checkpointFolders";
import { CheckpointPicker } from "./host/checkpointPicker";
import { DiagnoseCommand } from "./host/diagnoseCommand";
import { Diagnoses } from "./host/diagnoses";
import { Guard } from "./host/guard";
import { commands } from "./host/ids";
import { ReportExporter } from "./host/reportExporter";
import { Turnstile } from "./host/turnstile";

export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri, globalState, workspaceState, subscriptions } = context;
  const log = vscode.window.createOutputChannel("Fathom", { log: true });
  const guard = new Guard(log);
  const folders = new CheckpointFolders(log);
  const engine = vscode.Uri.joinPath(extensionUri, "dist", "engine.js").fsPath;
  const diagnoses = new Diagnoses({
    extensionUri,
    log,
    guard,
    exporter: new ReportExporter(extensionUri, globalState, log),
    turnstile: new Turnstile(),
    startEngine: (request, onEvent) => startEngine(engine, request, onEvent),
  });
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
