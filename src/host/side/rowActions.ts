/** What is done with the rows of the tree. A bundle of its own. */
import { stat } from "node:fs/promises";
import * as vscode from "vscode";
import type { Guard } from "../guard";
import { commands } from "../ids";
import type { ReportFileHeadline } from "../reading/reader";
import type { KnownReport, ReportFile, TreeNode } from "./checkpointTree";
import { agreedDeletion } from "./fileDeletion";

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

  /** Deletes stored reports, which can be undone, and report files, after asking: a refusal is of all. */
  async delete(nodes: readonly TreeNode[]): Promise<void> {
    const files = nodes.flatMap((node) => (node.kind === "reportFile" ? [node.file] : []));
    const deleteFiles = files.length > 0 ? await agreedDeletion(files) : undefined;
    if (files.length > 0 && deleteFiles === undefined) return;
    // Files may fail, as those that someone else has deleted; the stored ones do not wait for them.
    await this.deleteStored(nodes.flatMap((node) => (node.kind === "report" ? [node.report] : [])));
    await deleteFiles?.();
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
