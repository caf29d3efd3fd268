/** The tree of checkpoints and reports in the side bar. */
import * as vscode from "vscode";
import { contextKeys, views } from "../ids";
import type { Catalogue } from "./catalogue";
import type { KnownReport, TreeNode } from "./checkpointTree";
import type { TreeRows } from "./treeRows";

export class CheckpointsView implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly tree: vscode.TreeView<TreeNode>;
  private readonly didChange = new vscode.EventEmitter<TreeNode[] | undefined>();
  readonly onDidChangeTreeData = this.didChange.event;
  /** Loaded when the tree is first shown. */
  private rows: TreeRows | undefined;
  /** The rows of report files by the paths of these. */
  private fileNodes = new Map<string, TreeNode>();

  constructor(
    private readonly catalogue: Catalogue,
    /** A person chose one that has a report. */
    chose: (report: KnownReport) => void,
  ) {
    this.tree = vscode.window.createTreeView(views.checkpoints, {
      treeDataProvider: this,
      canSelectMany: true,
      showCollapseAll: true,
    });
    this.tree.onDidChangeSelection(({ selection }) => {
      const report = selection.length === 1 ? reportOf(selection[0]!) : undefined;
      if (report !== undefined) chose(report);
    });
    catalogue.onDidChange(() => {
      this.refresh();
    });
    catalogue.onDidReadHeadlines((files) => {
      this.didChange.fire(files.flatMap((file) => this.fileNodes.get(file) ?? []));
    });
  }

  get selection(): readonly TreeNode[] {
    return this.tree.selection;
  }

  refresh(): void {
    this.didChange.fire(undefined);
  }

  /** Nothing is looked for until the view is looked at. */
  async getChildren(parent?: TreeNode): Promise<TreeNode[]> {
    if (parent !== undefined) return "children" in parent ? parent.children : [];
    await this.catalogue.refresh();
    const { checkpoints, hiddenCheckpoints } = this.catalogue;
    const { TreeRows } = await import("./treeRows");
    this.rows ??= new TreeRows(this.catalogue);
    const roots = this.rows.roots(
      checkpoints,
      await this.catalogue.reports(),
      await this.catalogue.reportFiles(),
    );
    const nodes = roots.flatMap((root) => ("children" in root ? root.children : []));
    this.fileNodes = new Map(
      nodes.flatMap((node) => (node.kind === "reportFile" ? [[node.file.path, node]] : [])),
    );
    // Where there are no rows the welcome says it, and beside a message there is no welcome.
    this.tree.message =
      hiddenCheckpoints === 0 || roots.length === 0 ? "" : ignoredText(hiddenCheckpoints);
    await vscode.commands.executeCommand(
      "setContext",
      contextKeys.hidesCheckpoints,
      hiddenCheckpoints > 0,
    );
    return roots;
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    return this.rows!.itemOf(node);
  }

  dispose(): void {
    this.tree.dispose();
    this.didChange.dispose();
  }
}

/** The report that a row stands for, if it does for a stored one. */
export function reportOf(node: TreeNode): KnownReport | undefined {
  return node.kind === "report" || node.kind === "checkpoint" ? node.report : undefined;
}

function ignoredText(count: number): string {
  return count === 1
    ? vscode.l10n.t("1 more checkpoint is one that .gitignore names.")
    : vscode.l10n.t("{0} more checkpoints are ones that .gitignore names.", count);
}
