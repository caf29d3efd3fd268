/** What Fathom shows and offers in Python code, registered together. */
import * as vscode from "vscode";
import type { NormSummary } from "../../diagnosis/report";
import type { Doing } from "../doings";
import type { Guard } from "../guard";
import { commands, innerCommands, settingsSection, viewSettings } from "../ids";
import type { CheckpointOfCode } from "./checkpointOfCode";
import { CodeChanges } from "./codeChanges";
import { ChosenCheckpoints } from "./chosenCheckpoints";
import { CursorFollower, type ShownReport } from "./cursorFollower";
import type { LayerNormScaling } from "./layerNormScaling";
import { MeasuredNorms, type ReportSource } from "./measuredNorms";
import { areLensesShown } from "./lensSetting";
import type { NormLenses } from "./normLenses";
import { normOf, readTarget } from "./normTarget";
import { pathOf } from "./pathOf";
import { PythonCode } from "./pythonCode";
import { followPythonEvents } from "./pythonEvents";

export interface PythonServices {
  extensionUri: vscode.Uri;
  log: vscode.LogOutputChannel;
  guard: Guard;
  reports: ReportSource;
  /** The workspace's: what was chosen for a file lasts. */
  memory: vscode.Memento;
  /** Opens a stored report in the panel at one of its norms; false where it is gone. */
  openStored(key: string, norm: NormSummary): Promise<boolean>;
  /** What follows the cursor in the code. */
  shown: ShownReport;
}

const python: vscode.DocumentSelector = { language: "python", scheme: "file" };

export function registerPythonFeatures(services: PythonServices): vscode.Disposable {
  const { extensionUri, log, guard, reports, memory } = services;
  const bundles = vscode.Uri.joinPath(extensionUri, "dist").fsPath;
  const code = new PythonCode(bundles, () => vscode.workspace.textDocuments, log);
  const chosen = new ChosenCheckpoints(memory);
  const norms = new MeasuredNorms(code, reports, chosen, rootOf);
  const lensesChanged = new vscode.EventEmitter<void>();
  const refreshLenses = (): void => {
    lensesChanged.fire();
  };
  // What is only needed once a person is in the code of a model is loaded then.
  const lenses = once(async (): Promise<NormLenses> => {
    const { NormLenses } = await import("./normLenses");
    return new NormLenses(norms, guard);
  });
  const checkpoint = once(async (): Promise<CheckpointOfCode> => {
    const { CheckpointOfCode } = await import("./checkpointOfCode");
    return new CheckpointOfCode(norms, chosen);
  });
  const scaling = once(async (): Promise<LayerNormScaling> => {
    const { LayerNormScaling } = await import("./layerNormScaling");
    return new LayerNormScaling(code, log);
  });
  const didChange = new vscode.EventEmitter<void>();
  services.shown.followCode({
    reportOf: (file) => reportOf(file, norms),
    onDidChange: didChange.event,
  });
  const changes = new CodeChanges({
    watching,
    isOpen: (path) => vscode.workspace.textDocuments.some(({ uri }) => pathOf(uri) === path),
    relative: ({ fsPath }) => vscode.workspace.asRelativePath(fsPath, false),
    changed: () => {
      norms.forgetFound();
    },
    settled: (isElsewhere) => {
      // Of the document that was edited, the editor asks by itself.
      if (isElsewhere) refreshLenses();
      didChange.fire();
    },
  });
  const register = (command: string, doing: Doing, action: (argument: unknown) => unknown) =>
    vscode.commands.registerCommand(command, (argument: unknown) =>
      guard.run(doing, () => action(argument)),
    );
  return vscode.Disposable.from(
    code,
    didChange,
    changes,
    followPythonEvents(code, changes),
    chosen,
    new CursorFollower(norms, services.shown, guard),
    lensesChanged,
    vscode.languages.registerCodeLensProvider(python, {
      onDidChangeCodeLenses: lensesChanged.event,
      provideCodeLenses: async (...asked) => (await lenses()).provideCodeLenses(...asked),
    }),
    vscode.languages.registerHoverProvider(python, {
      provideHover: async (...asked) => (await lenses()).provideHover(...asked),
    }),
    vscode.languages.registerCodeActionsProvider(
      python,
      { provideCodeActions: async (...asked) => (await scaling()).provideCodeActions(...asked) },
      { providedCodeActionKinds: [vscode.CodeActionKind.RefactorRewrite] },
    ),
    reports.onDidChange(() => {
      norms.forget();
      refreshLenses();
    }),
    chosen.onDidChange(() => {
      norms.forget();
      refreshLenses();
      didChange.fire();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${settingsSection}.${viewSettings.codeLens}`)) {
        refreshLenses();
      }
    }),
    register(innerCommands.openNorm, "open the report", async (given) => {
      const target = readTarget(given);
      if (target !== undefined && (await services.openStored(target.key, normOf(target)))) return;
      throw new Error(vscode.l10n.t("it is gone."));
    }),
    register(commands.chooseCheckpointOfCode, "choose the checkpoint", async (file) =>
      (await checkpoint()).choose(file),
    ),
    register(commands.unpinCheckpointOfCode, "unpin the checkpoint", async (file) =>
      (await checkpoint()).forget(file),
    ),
    register(commands.applyScaling, "apply LayerNorm Scaling", async (at) =>
      (await scaling()).apply(at, false),
    ),
    register(commands.previewScaling, "apply LayerNorm Scaling", async (at) =>
      (await scaling()).apply(at, true),
    ),
    register(commands.copyScalingRecipe, "copy the recipe", async (at) =>
      (await scaling()).copyRecipe(at),
    ),
  );
}

/** Makes a part when it is first asked for. */
function once<Part>(make: () => Promise<Part>): () => Promise<Part> {
  let made: Promise<Part> | undefined;
  return () => (made ??= make());
}

/** The Python files that are seen with lenses. */
function watching(): vscode.Uri[] {
  return vscode.window.visibleTextEditors
    .map(({ document }) => document)
    .filter((document) => vscode.languages.match(python, document) > 0 && areLensesShown(document))
    .map(({ uri }) => uri);
}

/** Of a file that is open: no other is looked at. */
async function reportOf(file: string, norms: MeasuredNorms): Promise<string | undefined> {
  const document = vscode.workspace.textDocuments.find(({ uri }) => uri.fsPath === file);
  if (document?.languageId !== "python") return undefined;
  const found = await norms.known(document, new AbortController().signal);
  return found?.measured[0]?.key;
}

function rootOf(file: string): string | undefined {
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath;
}
