/** What Fathom shows and offers in Python code, registered together. */
import * as vscode from "vscode";
import type { NormSummary } from "../../diagnosis/report";
import type { Doing } from "../doings";
import type { Guard } from "../guard";
import { commands, innerCommands, settingsSection, viewSettings } from "../ids";
import { CheckpointOfCode } from "./checkpointOfCode";
import { CodeChanges } from "./codeChanges";
import { ChosenCheckpoints } from "./chosenCheckpoints";
import { CursorFollower, type ShownReport } from "./cursorFollower";
import type { LayerNormScaling } from "./layerNormScaling";
import { MeasuredNorms, type ReportSource } from "./measuredNorms";
import { isShown, NormLenses } from "./normLenses";
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
  const lenses = new NormLenses(norms, guard);
  const checkpoint = new CheckpointOfCode(norms, chosen);
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
      if (isElsewhere) lenses.refresh();
      didChange.fire();
    },
  });
  let loaded: Promise<LayerNormScaling> | undefined;
  const scaling = (): Promise<LayerNormScaling> => (loaded ??= loadScaling(code, log));
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
    vscode.languages.registerCodeLensProvider(python, lenses),
    vscode.languages.registerHoverProvider(python, lenses),
    vscode.languages.registerCodeActionsProvider(
      python,
      { provideCodeActions: async (...asked) => (await scaling()).provideCodeActions(...asked) },
      { providedCodeActionKinds: [vscode.CodeActionKind.RefactorRewrite] },
    ),
    reports.onDidChange(() => {
      norms.forget();
      lenses.refresh();
    }),
    chosen.onDidChange(() => {
      norms.forget();
      lenses.refresh();
      didChange.fire();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${settingsSection}.${viewSettings.codeLens}`))
        lenses.refresh();
    }),
    register(innerCommands.openNorm, "open the report", async (given) => {
      const target = readTarget(given);
      if (target !== undefined && (await services.openStored(target.key, normOf(target)))) return;
      throw new Error(vscode.l10n.t("it is gone."));
    }),
    register(commands.chooseCheckpointOfCode, "choose the checkpoint", (file) =>
      checkpoint.choose(file),
    ),
    register(commands.unpinCheckpointOfCode, "unpin the checkpoint", (file) =>
      checkpoint.forget(file),
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

/** Needed only once a person is in the code of a model. */
async function loadScaling(
  code: PythonCode,
  log: vscode.LogOutputChannel,
): Promise<LayerNormScaling> {
  const { LayerNormScaling } = await import("./layerNormScaling");
  return new LayerNormScaling(code, log);
}

/** The Python files that are seen with lenses. */
function watching(): vscode.Uri[] {
  return vscode.window.visibleTextEditors
    .map(({ document }) => document)
    .filter((document) => vscode.languages.match(python, document) > 0 && isShown(document))
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
