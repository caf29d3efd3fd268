/** "Apply LayerNorm Scaling" on the light bulb: the edit, its preview, and the recipe instead. */
import * as vscode from "vscode";
import type { ScalingOutcome, ScalingWarning } from "../../python/layerNormScaling/outcome";
import { commands } from "../ids";
import { pathOf } from "./pathOf";
import type { PythonCode } from "./pythonCode";
import { scaledDocuments } from "./scaledDocuments";
import type { ScaledModel } from "./scaleModel";

/** What the light bulb's commands take. */
interface Target {
  uri: vscode.Uri;
  /** In the class whose layers are meant. */
  offset: number;
}

export class LayerNormScaling implements vscode.CodeActionProvider {
  constructor(
    private readonly code: PythonCode,
    private readonly log: vscode.LogOutputChannel,
  ) {}

  /** Offered inside classes that make norms; whether they can be edited is found out when asked. */
  async provideCodeActions(
    document: vscode.TextDocument,
    range: vscode.Range,
    _context: vscode.CodeActionContext,
    token: vscode.CancellationToken,
  ): Promise<vscode.CodeAction[]> {
    const sites = await this.code.sitesOf(document);
    if (sites === undefined || token.isCancellationRequested) return [];
    const offset = document.offsetAt(range.start);
    const isInside = sites.some((site) => {
      const { start, end } = site.owner ?? site;
      return start <= offset && offset <= end;
    });
    if (!isInside) return [];
    const target: Target = { uri: document.uri, offset };
    return [
      action(vscode.l10n.t("Apply LayerNorm Scaling"), commands.applyScaling, target),
      action(vscode.l10n.t("Preview LayerNorm Scaling…"), commands.previewScaling, target),
      action(vscode.l10n.t("Copy as LayerNorm Scaling recipe"), commands.copyScalingRecipe, target),
    ];
  }

  /** Edits the code, in one step for undo; with `isPreviewed` a person confirms each change. */
  async apply(target: unknown, isPreviewed: boolean): Promise<void> {
    const at = targetOf(target);
    const scaled = await scaledDocuments(
      () => this.scale(at),
      (path) => vscode.workspace.openTextDocument(vscode.Uri.file(path)),
    );
    if (scaled === undefined) {
      throw new Error(vscode.l10n.t("the code was edited meanwhile."));
    }
    if (!("documents" in scaled)) {
      await this.explain(scaled.outcome);
      return;
    }
    const { outcome, documents } = scaled;
    const edit = new vscode.WorkspaceEdit();
    const metadata = {
      label: vscode.l10n.t("LayerNorm Scaling"),
      description: outcome.warnings.map(({ message }) => message).join(" "),
      needsConfirmation: false,
    };
    if (isPreviewed) {
      // What itself needs confirmation is shown unticked, and half of these changes is broken code.
      // So the preview is asked for by a file that is there already, which changes nothing.
      edit.createFile(at.uri, { ignoreIfExists: true }, { ...metadata, needsConfirmation: true });
    }
    for (const { path, start, end, newText } of outcome.edits) {
      const document = documents.get(path)!;
      const range = new vscode.Range(document.positionAt(start), document.positionAt(end));
      edit.replace(document.uri, range, newText, metadata);
    }
    const isApplied = await vscode.workspace.applyEdit(edit, { isRefactoring: true });
    if (!isApplied) return;
    this.log.info(outcome.summary);
    for (const warning of outcome.warnings) {
      this.log.warn(warning.message);
      void warn(warning);
    }
  }

  /** Puts what to write by hand on the clipboard, in the names of the code. */
  async copyRecipe(target: unknown): Promise<void> {
    const { outcome } = await this.scale(targetOf(target));
    await copy(outcome.recipe);
  }

  private async scale({ uri, offset }: Target): Promise<ScaledModel> {
    const root = vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath;
    const title = vscode.l10n.t("Reading the model's code…");
    return vscode.window.withProgress({ location: vscode.ProgressLocation.Window, title }, () =>
      this.code.scale({ path: pathOf(uri), offset, root }),
    );
  }

  private async explain({ message, recipe }: ScalingOutcome & { kind: "refusal" }): Promise<void> {
    const [show, copyIt] = [vscode.l10n.t("Show Recipe"), vscode.l10n.t("Copy Recipe")];
    const choice = await vscode.window.showWarningMessage(
      vscode.l10n.t("LayerNorm Scaling was not applied: {0}", message),
      show,
      copyIt,
    );
    if (choice === copyIt) await copy(recipe);
    if (choice !== show) return;
    const document = await vscode.workspace.openTextDocument({
      language: "markdown",
      content: recipe,
    });
    await vscode.window.showTextDocument(document, vscode.ViewColumn.Beside);
  }
}

function action(title: string, command: string, target: Target): vscode.CodeAction {
  const offered = new vscode.CodeAction(title, vscode.CodeActionKind.RefactorRewrite);
  offered.command = { title, command, arguments: [target] };
  return offered;
}

/** From the light bulb, or from the palette: then the cursor says which code is meant. */
function targetOf(target: unknown): Target {
  if (typeof target === "object" && target !== null && "uri" in target && "offset" in target) {
    return target as Target;
  }
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId !== "python") {
    throw new Error(vscode.l10n.t("open the Python file of the model first."));
  }
  return { uri: editor.document.uri, offset: editor.document.offsetAt(editor.selection.active) };
}

/** With a button, so that the message is not cut to one line. */
async function warn({ message, at }: ScalingWarning): Promise<void> {
  const show = vscode.l10n.t("Show Code");
  const choice = await vscode.window.showWarningMessage(message, ...(at ? [show] : []));
  if (at === undefined || choice !== show) return;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.file(at.path));
  const lines = document.getText().split("\n");
  const number = lines.findIndex((line) => line.trim() === at.line);
  const selection = document.lineAt(Math.max(number, 0)).range;
  await vscode.window.showTextDocument(document, { selection });
}

async function copy(recipe: string): Promise<void> {
  await vscode.env.clipboard.writeText(recipe);
  const told = vscode.l10n.t("The LayerNorm Scaling recipe is on the clipboard.");
  // There is nothing to decide, so it does not stand in the way.
  vscode.window.setStatusBarMessage(told, 10_000);
}
