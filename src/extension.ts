/** Composes the extension. Activation only registers; whatever is heavy is loaded when first used. */
import * as vscode from "vscode";
import { startEngine } from "./engineClient";
import { CheckpointFolders } from "./host/checkpointFolders";
import { CheckpointPicker, namedCheckpoint } from "./host/checkpointPicker";
import { DepthTool } from "./host/depthTool";
import { DiagnoseCommand } from "./host/diagnoseCommand";
import { Diagnoses } from "./host/diagnoses";
import type { StartEngine } from "./host/diagnosisRun";
import type { Doing } from "./host/doings";
import { ExplorerRows } from "./host/explorerRows";
import { Guard } from "./host/guard";
import { commands, innerCommands, tools } from "./host/ids";
import { registerPythonFeatures } from "./host/python/pythonFeatures";
import { lazily } from "./host/lazily";
import { PageExporter } from "./host/pageExporter";
import { exportFormatOf, ReportExporter } from "./host/reportExporter";
import { ThreadedReader } from "./host/reading/threadedReader";
import { registerViews } from "./host/registerViews";
import { ReportMemory } from "./host/reports/reportMemory";
import { ReportStore } from "./host/reports/reportStore";
import { DiagnosedReports } from "./host/reportSource";
import { Readings } from "./host/readings/readings";
import { editorTexts } from "./host/texts";
import { useTexts } from "./report/texts";
import { SidePanel } from "./host/side/sidePanel";
import { followed, StatusLine } from "./host/statusLine";
import { WatchedRuns } from "./host/trainingRun/watchedRuns";
import { Turnstile } from "./host/turnstile";

export function activate(context: vscode.ExtensionContext): void {
  const { extensionUri, globalState, workspaceState, subscriptions } = context;
  useTexts(editorTexts());
  const log = vscode.window.createOutputChannel("Fathom", { log: true });
  const told = new StatusLine("outcome", vscode.l10n.t("Fathom: what came of a diagnosis"));
  const guard = new Guard(log, told);
  const folders = new CheckpointFolders(log);
  const bundle = (name: string): string => vscode.Uri.joinPath(extensionUri, "dist", name).fsPath;
  const reader = new ThreadedReader(bundle("reader.js"));
  const exporter = new ReportExporter(extensionUri, reader, globalState, log, told);
  // A window without a folder has no storage of its own.
  const storage = context.storageUri ?? context.globalStorageUri;
  const stored = (name: string): string => vscode.Uri.joinPath(storage, name).fsPath;
  const store = new ReportStore(stored("reports"), {
    log,
    nameOf: (checkpointPath) => namedCheckpoint(checkpointPath).name,
    reader,
  });
  const measuring = {
    turnstile: new Turnstile(),
    memory: new ReportMemory(store, reader, stored("fingerprints.json")),
    startEngine: ((request, onEvent) =>
      startEngine(bundle("engine.js"), request, onEvent)) as StartEngine,
  };
  const picker = new CheckpointPicker(folders, workspaceState);
  const readings: Readings = new Readings({
    ...{ extensionUri, guard, reader, picker, memory: workspaceState },
    diagnose: (checkpoint) => diagnoses.start(checkpoint),
  });
  const diagnosing = { extensionUri, log, guard, told, exporter, readings, ...measuring };
  const diagnoses: Diagnoses = new Diagnoses(diagnosing, store);
  const side = new SidePanel({
    extensionUri,
    memory: workspaceState,
    guard,
    folders,
    store,
    reader,
    headlinesFile: stored("reportHeadlines.json"),
    openStored: (key) => diagnoses.openStored(key),
    showCurrent: () => {
      diagnoses.showCurrent();
    },
  });
  const reports = new DiagnosedReports({
    requestFor: (checkpoint) => readings.requestFor(checkpoint),
    ...measuring,
  });
  const pages = new PageExporter(extensionUri, globalState, log, told);
  const viewing = { extensionUri, log, guard, told, folders, reports, exporter: pages, reader };
  const watchedRuns = new WatchedRuns(workspaceState);
  // What few windows need is loaded and made when it is first asked for.
  const runs = lazily(subscriptions, async () => {
    const { TrainingRuns } = await import("./host/trainingRun/trainingRuns");
    return new TrainingRuns({ ...viewing, memory: workspaceState, watchedRuns });
  });
  const comparisons = lazily(subscriptions, async () => {
    const { Comparisons } = await import("./host/compare/comparisons");
    return new Comparisons({ ...viewing, kept: store });
  });
  const register = (
    command: string,
    doing: Doing,
    action: (target: unknown, selection: unknown) => unknown,
  ): vscode.Disposable =>
    vscode.commands.registerCommand(command, (target: unknown, selection: unknown) =>
      guard.run(doing, () => action(target, selection)),
    );
  const diagnose = new DiagnoseCommand(picker, diagnoses);

  subscriptions.push(
    log,
    told,
    reader,
    folders,
    new ExplorerRows((file) => {
      folders.show(file);
    }),
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
    readings.register(),
    registerViews({ ...diagnosing, reader, diagnoses, comparisons, runs }),
    registerPythonFeatures({
      extensionUri,
      log,
      guard,
      reports: side.reports,
      memory: workspaceState,
      openStored: (key, norm) => diagnoses.openStored(key, norm),
      shown: side,
    }),
    vscode.lm.registerTool(
      tools.depth,
      new DepthTool({
        reader,
        stored: (uri, signal) => reports.stored(namedCheckpoint(uri.fsPath), signal),
        diagnose: (uri, signal) => diagnose.run(uri, undefined, { isBackground: true, signal }),
      }),
    ),
    register(commands.diagnoseDepth, "diagnose the checkpoint", (target, selection) =>
      diagnose.run(target, selection),
    ),
    register(commands.exportReport, "export the report", (format) =>
      diagnoses.exportCurrent(exportFormatOf(format)),
    ),
    register(commands.showReport, "show the report", () => {
      diagnoses.showCurrent();
    }),
    register(commands.showLog, "show the log", () => {
      log.show();
    }),
    register(commands.compare, "compare", async (target, selection) =>
      (await comparisons()).run(target, selection),
    ),
    register(commands.diagnoseRun, "diagnose the run", async (target, selection) =>
      (await runs()).diagnose(target, selection),
    ),
    register(commands.compareRuns, "compare the runs", async (target, selection) =>
      (await runs()).compare(target, selection),
    ),
    register(commands.watchRun, "watch the run", async (target, selection) =>
      (await runs()).watch(target, selection),
    ),
    register(commands.stopWatchingRun, "stop watching", async () => (await runs()).stopWatching()),
    register(innerCommands.follow, "follow the status bar", followed),
  );
  if (Object.keys(watchedRuns.all).length > 0) {
    void guard.run("watch the run", async () => (await runs()).resumeWatching());
  }
}
