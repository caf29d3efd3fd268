/** "Choose Checkpoint of This File": a person says which of several models the code makes. */
import path from "node:path";
import * as vscode from "vscode";
import { normLine } from "../../report/normText";
import { useTexts } from "../../report/texts";
import { editorTexts } from "../texts";
import type { ChosenCheckpoints } from "./chosenCheckpoints";
import type { FittingReport, MeasuredNorms } from "./measuredNorms";
import { pathOf } from "./pathOf";

// A bundle has its own.
useTexts(editorTexts());

interface CheckpointPick extends vscode.QuickPickItem {
  /** undefined forgets what was chosen. */
  checkpoint: string | undefined;
}

export class CheckpointOfCode {
  constructor(
    private readonly norms: MeasuredNorms,
    private readonly chosen: ChosenCheckpoints,
  ) {}

  /** @param target the file's URI, from a lens or a hover; else the file that is edited */
  async choose(target: unknown): Promise<void> {
    const document = await documentOf(target);
    const file = pathOf(document.uri);
    const fitting = await this.norms.fitting(document);
    const before = this.chosen.of(file);
    const picks = fitting.map((report) => pickOf(report, report.checkpoint === before));
    if (before !== undefined) {
      picks.push({
        label: vscode.l10n.t("$(pinned) Unpin: the nearest report that fits counts again"),
        checkpoint: undefined,
      });
    }
    if (picks.length === 0) {
      throw new Error(vscode.l10n.t("no report is of a model that this file makes."));
    }
    const choice = await vscode.window.showQuickPick(picks, {
      title: vscode.l10n.t("Checkpoint of {0}", path.basename(file)),
      placeHolder: vscode.l10n.t("Which of these does this code make?"),
      matchOnDescription: true,
    });
    if (choice !== undefined) await this.chosen.choose(file, choice.checkpoint);
  }

  async forget(target: unknown): Promise<void> {
    const file = pathOf((await documentOf(target)).uri);
    if (this.chosen.of(file) === undefined) {
      throw new Error(vscode.l10n.t("no checkpoint is chosen for this file."));
    }
    await this.chosen.choose(file, undefined);
  }
}

function pickOf({ name, checkpoint, report }: FittingReport, isChosen: boolean): CheckpointPick {
  const place = vscode.workspace.asRelativePath(checkpoint);
  return {
    label: isChosen ? `$(pinned) ${name}` : name,
    ...(place !== name && { description: place }),
    detail: normLine(report),
    checkpoint,
  };
}

/** What a command passes that a link has turned into text. */
async function documentOf(target: unknown): Promise<vscode.TextDocument> {
  if (typeof target === "string") {
    return vscode.workspace.openTextDocument(vscode.Uri.parse(target));
  }
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "python") {
    throw new Error(vscode.l10n.t("open the Python file of the model first."));
  }
  return document;
}
