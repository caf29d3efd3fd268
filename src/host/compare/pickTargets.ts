/** Asks which checkpoints and reports to compare: those of the workspace and those that were kept. */
import * as vscode from "vscode";
import { mostReports } from "../../report/comparison";
import type { CheckpointFolders } from "../checkpointFolders";
import { namedCheckpoint } from "../checkpointPicker";
import type { KeptReports } from "./members";
import { isReportFile, targetOf, targetText } from "./target";
import { useTexts } from "../../report/texts";
import { editorTexts } from "../texts";

// A bundle has its own.
useTexts(editorTexts());

interface Item extends vscode.QuickPickItem {
  target?: unknown;
}

/**
 * @param first what is to be among them, and is offered as chosen
 * @returns what `comparisonTargets` takes; undefined when the user let it be
 */
export async function pickTargets(
  places: { folders: CheckpointFolders; kept?: KeptReports },
  first?: unknown,
): Promise<unknown[] | undefined> {
  const chosen = await vscode.window.showQuickPick(offered(itemsOf(places), first), {
    title: vscode.l10n.t("Compare Depth"),
    placeHolder: vscode.l10n.t(
      "Two to {0} checkpoints or reports; the first is the reference",
      mostReports,
    ),
    canPickMany: true,
    matchOnDescription: true,
  });
  return chosen?.map(({ target }) => target);
}

async function offered(items: Promise<Item[]>, first: unknown): Promise<Item[]> {
  if (first === undefined) return items;
  const text = targetText(targetOf(first));
  const isFirst = ({ target }: Item): boolean =>
    target !== undefined && targetText(targetOf(target)) === text;
  const all = await items;
  const known = all.find(isFirst) ?? { label: vscode.workspace.asRelativePath(text) };
  return [{ ...known, target: first, picked: true }, ...all.filter((item) => !isFirst(item))];
}

async function itemsOf({
  folders,
  kept,
}: {
  folders: CheckpointFolders;
  kept?: KeptReports;
}): Promise<Item[]> {
  const [checkpoints, reports, files] = await Promise.all([
    folders.search(),
    kept?.list() ?? [],
    vscode.workspace.findFiles("**/{*.fathom.json,fathom-*.json}", "**/node_modules/**"),
  ]);
  return [
    separator(vscode.l10n.t("checkpoints")),
    ...checkpoints.map((folder) => ({ label: namedCheckpoint(folder).name, target: folder })),
    ...(reports.length > 0 ? [separator(vscode.l10n.t("kept reports"))] : []),
    ...reports.map(({ key, name, savedAt }) => ({
      label: name,
      description: new Date(savedAt).toLocaleString(),
      target: { reportKey: key },
    })),
    ...(files.length > 0 ? [separator(vscode.l10n.t("report files"))] : []),
    ...files
      .map(({ fsPath }) => fsPath)
      .filter(isReportFile)
      .map((file) => ({ label: vscode.workspace.asRelativePath(file), target: file })),
  ];
}

function separator(label: string): Item {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
