/** The tree of checkpoints and reports in the side bar. */
import * as vscode from "vscode";
import { commands, contextKeys, views } from "../ids";
import type { Catalogue } from "./catalogue";
import {
  ageText,
  checkpointTree,
  headlineLines,
  headlineText,
  nodeId,
  type KnownReport,
  type TreeNode,
} from "./checkpointTree";

/** With more checkpoints than this, folders are closed until someone opens them. */
const openFolders = 24;

export class CheckpointsView implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  private readonly tree: vscode.TreeView<TreeNode>;
  private readonly didChange = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.didChange.event;
  private count = 0;

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
  }

  get selection(): readonly TreeNode[] {
    return this.tree.selection;
  }

  refresh(): void {
    this.didChange.fire();
  }

  /** Nothing is looked for until the view is looked at. */
  async getChildren(parent?: TreeNode): Promise<TreeNode[]> {
    if (parent !== undefined) return "children" in parent ? parent.children : [];
    await this.catalogue.refresh();
    const { checkpoints, hiddenCheckpoints } = this.catalogue;
    this.count = checkpoints.length;
    const roots = checkpointTree(
      checkpoints,
      await this.catalogue.reports(),
      await this.catalogue.reportFiles(),
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
    const item = this.itemOf(node);
    item.id = nodeId(node);
    return item;
  }

  dispose(): void {
    this.tree.dispose();
    this.didChange.dispose();
  }

  private itemOf(node: TreeNode): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    switch (node.kind) {
      case "checkpoints":
      case "reports": {
        const isEmpty = node.children.length === 0;
        const name =
          node.kind === "checkpoints" ? vscode.l10n.t("Checkpoints") : vscode.l10n.t("Reports");
        const item = new vscode.TreeItem(name, isEmpty ? None : Expanded);
        const isHidden = node.kind === "checkpoints" && this.catalogue.hiddenCheckpoints > 0;
        if (isEmpty) {
          item.description = isHidden
            ? vscode.l10n.t("only ones that .gitignore names")
            : vscode.l10n.t("none yet");
        }
        // Its row has a button that shows them.
        if (isHidden) item.contextValue = "ignored";
        return item;
      }
      case "folder": {
        const item = new vscode.TreeItem(
          node.name,
          this.count > openFolders ? Collapsed : Expanded,
        );
        item.iconPath = vscode.ThemeIcon.Folder;
        return item;
      }
      case "checkpoint": {
        const { checkpoint, report } = node;
        const item = new vscode.TreeItem(node.label, None);
        item.iconPath = new vscode.ThemeIcon(report ? "layers-active" : "layers");
        item.contextValue = report ? "checkpoint.measured" : "checkpoint";
        item.tooltip = report
          ? tooltipOf(report)
          : `${checkpoint.path}\n${vscode.l10n.t("Not diagnosed yet")}`;
        const headline = report ? headlineText(report) : "";
        item.description = headline;
        if (report) item.command = openCommand(node);
        item.accessibilityInformation = {
          label: report
            ? vscode.l10n.t("Checkpoint {0}, {1}", checkpoint.name, headline)
            : vscode.l10n.t("Checkpoint {0}, not diagnosed yet", checkpoint.name),
        };
        return item;
      }
      case "report": {
        const { report } = node;
        const item = new vscode.TreeItem(report.name, None);
        item.iconPath = new vscode.ThemeIcon("graph-line");
        item.contextValue = "report";
        item.tooltip = tooltipOf(report);
        const age = ageText(report.savedAt, new Date());
        item.description = `${headlineText(report)} · ${age}`;
        item.command = openCommand(node);
        item.accessibilityInformation = {
          label: vscode.l10n.t("Report of {0}, {1}, {2}", report.name, headlineText(report), age),
        };
        return item;
      }
      case "reportFile": {
        const uri = vscode.Uri.file(node.file.path);
        const item = new vscode.TreeItem(node.file.name, None);
        item.iconPath = new vscode.ThemeIcon("file");
        item.contextValue = "file";
        item.tooltip = node.file.path;
        item.command = {
          command: "vscode.open",
          title: vscode.l10n.t("Open Report"),
          arguments: [uri],
        };
        item.accessibilityInformation = {
          label: vscode.l10n.t("Report file {0}", node.file.name),
        };
        return item;
      }
    }
  }
}

/** The report that a row stands for, if it does for one. */
export function reportOf(node: TreeNode): KnownReport | undefined {
  return node.kind === "report" || node.kind === "checkpoint" ? node.report : undefined;
}

/** The path of the checkpoint that a row is about, if it is about one. */
export function checkpointPathOf(node: TreeNode): string | undefined {
  if (node.kind === "checkpoint") return node.checkpoint.path;
  return node.kind === "report" ? node.report.checkpointPath : undefined;
}

function openCommand(node: TreeNode): vscode.Command {
  return { command: commands.openReport, title: vscode.l10n.t("Open Report"), arguments: [node] };
}

/** Names come from folders of anyone's making, so they are text, never markup. */
function tooltipOf(report: KnownReport): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  tooltip.appendMarkdown("**").appendText(report.name).appendMarkdown("**\n\n");
  for (const [name, value] of headlineLines(report)) {
    tooltip.appendText(`${name}: ${value}`).appendMarkdown("  \n");
  }
  tooltip.appendText(vscode.l10n.t("Stored on {0}", new Date(report.savedAt).toLocaleString()));
  tooltip.appendMarkdown("\n\n").appendText(report.checkpointPath);
  return tooltip;
}

function ignoredText(count: number): string {
  return count === 1
    ? vscode.l10n.t("1 more checkpoint is one that .gitignore names.")
    : vscode.l10n.t("{0} more checkpoints are ones that .gitignore names.", count);
}
