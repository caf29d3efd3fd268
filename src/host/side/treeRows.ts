/** The rows of the side bar's tree: which there are, and how each looks. A bundle of its own. */
import * as vscode from "vscode";
import type { Headline } from "../../report/headline";
import { useTexts } from "../../report/texts";
import type { Checkpoint } from "../checkpoint";
import { commands } from "../ids";
import type { ReportFileHeadline } from "../reading/reader";
import { editorTexts } from "../texts";
import {
  ageText,
  checkpointTree,
  headlineLines,
  headlineText,
  nodeId,
  type KnownReport,
  type ReportFile,
  type TreeNode,
} from "./checkpointTree";

// A bundle has its own.
useTexts(editorTexts());

/** With more checkpoints than this, folders are closed until someone opens them. */
const openFolders = 24;

/** What the rows ask of the catalogue when they are shown. */
export interface RowSources {
  /** How many checkpoints are not listed because .gitignore names them. */
  readonly hiddenCheckpoints: number;
  /** What is known of a report file so far; what is not is read from now on. */
  headlineOf(file: ReportFile): ReportFileHeadline | undefined;
}

export class TreeRows {
  private count = 0;

  constructor(private readonly catalogue: RowSources) {}

  /** The rows as nodes; none where there is nothing to list. */
  roots(
    checkpoints: readonly Checkpoint[],
    reports: readonly KnownReport[],
    files: readonly ReportFile[],
  ): TreeNode[] {
    this.count = checkpoints.length;
    return checkpointTree(checkpoints, reports, files);
  }

  itemOf(node: TreeNode): vscode.TreeItem {
    const item = this.shown(node);
    item.id = nodeId(node);
    return item;
  }

  private shown(node: TreeNode): vscode.TreeItem {
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
          ? storedTooltip(report)
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
        item.tooltip = storedTooltip(report);
        const age = ageText(report.savedAt, new Date());
        item.description = `${headlineText(report)} · ${age}`;
        item.command = openCommand(node);
        item.accessibilityInformation = {
          label: vscode.l10n.t("Report of {0}, {1}, {2}", report.name, headlineText(report), age),
        };
        return item;
      }
      case "reportFile": {
        const { file } = node;
        const item = new vscode.TreeItem(file.label, None);
        item.iconPath = new vscode.ThemeIcon("file");
        item.command = {
          command: "vscode.open",
          title: vscode.l10n.t("Open Report"),
          arguments: [vscode.Uri.file(file.path)],
        };
        this.showHeadline(item, file);
        return item;
      }
    }
  }

  /** A file is listed at once, and says more once it has been read. */
  private showHeadline(item: vscode.TreeItem, file: ReportFile): void {
    const { name, path } = file;
    const known = this.catalogue.headlineOf(file);
    item.contextValue = "file";
    if (known === undefined || "problem" in known) {
      item.tooltip = known ? `${path}\n${known.problem}` : path;
      if (known) item.description = vscode.l10n.t("cannot be read as a report");
      item.accessibilityInformation = { label: vscode.l10n.t("Report file {0}", name) };
      return;
    }
    const { headline, hasCheckpoint } = known;
    if (hasCheckpoint) item.contextValue = "file.measurable";
    item.description = headlineText(headline);
    item.tooltip = tooltipOf(name, headline, path);
    item.accessibilityInformation = {
      label: vscode.l10n.t("Report file {0}, {1}", name, item.description),
    };
  }
}

function openCommand(node: TreeNode): vscode.Command {
  return { command: commands.openReport, title: vscode.l10n.t("Open Report"), arguments: [node] };
}

function storedTooltip(report: KnownReport): vscode.MarkdownString {
  const { name, savedAt, checkpointPath } = report;
  const stored = vscode.l10n.t("Stored on {0}", new Date(savedAt).toLocaleString());
  return tooltipOf(name, report, stored, checkpointPath);
}

/**
 * Names come from folders of anyone's making, so they are text, never markup.
 *
 * @param ends what stands below the headline, each on a line of its own
 */
function tooltipOf(title: string, headline: Headline, ...ends: string[]): vscode.MarkdownString {
  const tooltip = new vscode.MarkdownString();
  tooltip.appendMarkdown("**").appendText(title).appendMarkdown("**\n\n");
  for (const [name, value] of headlineLines(headline)) {
    tooltip.appendText(`${name}: ${value}`).appendMarkdown("  \n");
  }
  for (const [i, end] of ends.entries()) {
    tooltip.appendMarkdown(i === 0 ? "" : "\n\n").appendText(end);
  }
  return tooltip;
}
