/** What is done with the rows of the tree. A bundle of its own. */
import { stat } from "node:fs/promises";
import * as vscode from "vscode";
import type { Guard } from "../guard";
import { commands } from "../ids";
import type { ReportFileHeadline } from "../reading/reader";
import type { KnownReport, ReportFile, TreeNode } from "./checkpointTree";

export interface RowServices {
  guard: Guard;
  /** What is known of a report file so far. */
  headlineOf(file: ReportFile): ReportFileHeadline | undefined;
  /** Deletes a stored report. @returns what brings it back, or undefined where there was none */
  deleteStored(key: string): Promise<(() => Promise<void>) | undefined>;
}

/** What the command that compares takes for each thing that is compared. */
type Comparable = { checkpointPath: string } | { reportKey: string } | string;

export class RowActions {
  constructor(private readonly services: RowServices) {}

  /** Diagnoses the checkpoints that the rows are about. */
  async diagnose(nodes: readonly TreeNode[]): Promise<void> {
    const paths = new Set(nodes.flatMap((node) => this.checkpointPathOf(node) ?? []));
    const uris = [...paths].map((path) => vscode.Uri.file(path));
    await vscode.commands.executeCommand(commands.diagnoseDepth, uris[0], uris);
  }

  async compare(nodes: readonly TreeNode[]): Promise<void> {
    const compared = nodes.flatMap((node): Comparable[] => {
      if (node.kind === "report") return [{ reportKey: node.report.key }];
      if (node.kind === "reportFile") return [node.file.path];
      return node.kind === "checkpoint" ? [{ checkpointPath: node.checkpoint.path }] : [];
    });
    await vscode.commands.executeCommand(commands.compare, compared);
  }

  /** Shows the checkpoint of the row in the explorer. */
  async revealCheckpoint([node]: readonly TreeNode[]): Promise<void> {
    const path = node && this.checkpointPathOf(node);
    if (path !== undefined) await reveal(path);
  }

  /** Shows the report file of the row in the explorer. */
  async revealReportFile([node]: readonly TreeNode[]): Promise<void> {
    if (node?.kind === "reportFile") await reveal(node.file.path);
  }

  /** Deletes stored reports, which can be undone, and report files, after asking. */
  async delete(nodes: readonly TreeNode[]): Promise<void> {
    const files = nodes.flatMap((node) => (node.kind === "reportFile" ? [node.file] : []));
    if (files.length > 0 && !(await deleteFiles(files))) return;
    await this.deleteStored(nodes.flatMap((node) => (node.kind === "report" ? [node.report] : [])));
  }

  private async deleteStored(reports: readonly KnownReport[]): Promise<void> {
    const undos: (() => Promise<void>)[] = [];
    for (const { key } of reports) {
      const undo = await this.services.deleteStored(key);
      if (undo !== undefined) undos.push(undo);
    }
    if (undos.length === 0) return;
    const text =
      undos.length === 1
        ? vscode.l10n.t("Fathom deleted the report of {0}.", reports[0]!.name)
        : vscode.l10n.t("Fathom deleted {0} reports.", undos.length);
    const undoLabel = vscode.l10n.t("Undo");
    // Not awaited: the command is done, whatever becomes of the message.
    void vscode.window.showInformationMessage(text, undoLabel).then((choice) => {
      if (choice !== undoLabel) return;
      void this.services.guard.run("bring back the report", async () => {
        for (const undo of undos) await undo();
      });
    });
  }

  /** The path of the checkpoint that a row is about, if it is about one. */
  private checkpointPathOf(node: TreeNode): string | undefined {
    if (node.kind === "checkpoint") return node.checkpoint.path;
    if (node.kind === "report") return node.report.checkpointPath;
    if (node.kind !== "reportFile") return undefined;
    const known = this.services.headlineOf(node.file);
    return known && "headline" in known ? known.headline.checkpointPath : undefined;
  }
}

async function reveal(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) {
    throw new Error(vscode.l10n.t("{0} does not exist any more.", path));
  }
  await vscode.commands.executeCommand("revealInExplorer", vscode.Uri.file(path));
}

/** @returns false when the user let it be */
async function deleteFiles(files: readonly ReportFile[]): Promise<boolean> {
  const question =
    files.length === 1
      ? vscode.l10n.t("Delete the report file {0}?", files[0]!.name)
      : vscode.l10n.t("Delete {0} report files?", files.length);
  const toTrash = vscode.l10n.t("Move to Trash");
  if (!(await agrees(question, vscode.l10n.t("It goes to the trash."), toTrash))) return false;
  const left: ReportFile[] = [];
  for (const file of files) {
    const uri = vscode.Uri.file(file.path);
    const isMoved = await vscode.workspace.fs.delete(uri, { useTrash: true }).then(
      () => true,
      () => false,
    );
    if (!isMoved) left.push(file);
  }
  if (left.length === 0) return true;
  const names = left.map(({ name }) => name).join("\n");
  const isCertain = await agrees(
    vscode.l10n.t("There is no trash here. Delete for good?"),
    names,
    vscode.l10n.t("Delete Permanently"),
  );
  if (!isCertain) return false;
  for (const file of left) await vscode.workspace.fs.delete(vscode.Uri.file(file.path));
  return true;
}

async function agrees(question: string, detail: string, yes: string): Promise<boolean> {
  const options = { modal: true, detail };
  return (await vscode.window.showWarningMessage(question, options, yes)) === yes;
}
