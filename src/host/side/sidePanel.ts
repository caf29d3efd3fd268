/** The side panel: its two views, what they have in common, and the commands on them. */
import * as vscode from "vscode";
import type { Report } from "../../diagnosis/report";
import type { CheckpointFolders } from "../checkpointFolders";
import type { CurrentReport } from "../diagnoses";
import type { Doing } from "../doings";
import type { Guard } from "../guard";
import { commands, contextKeys, views } from "../ids";
import type { Reader } from "../reading/reader";
import type { ReportStore } from "../reports/reportStore";
import type { ReportSource } from "../python/measuredNorms";
import { Catalogue } from "./catalogue";
import { ChartsView, type AtCursor } from "./chartsView";
import { CheckpointsView, reportOf } from "./checkpointsView";
import type { TreeNode } from "./checkpointTree";
import type { RowActions } from "./rowActions";
import { Selection } from "./selection";

/** Which reports the code of the workspace is of. */
export interface CodeReports {
  /** The key of the report that the numbers in a file are of; undefined where there are none. */
  reportOf(file: string): Promise<string | undefined>;
  /** A person chose another checkpoint for a file, or the code has changed. */
  readonly onDidChange: vscode.Event<void>;
}

export interface SidePanelServices {
  extensionUri: vscode.Uri;
  memory: vscode.Memento;
  guard: Guard;
  folders: CheckpointFolders;
  store: ReportStore;
  reader: Pick<Reader, "headlinesOf">;
  /** The file in which it is kept what was read of report files. */
  headlinesFile: string;
  /** Opens a stored report in the panel; false where it is gone. */
  openStored(key: string): Promise<boolean>;
  /** Shows the panel of the report that was looked at last. */
  showCurrent(): void;
}

const pinKey = "pinnedReport";
const ignoredKey = "showIgnoredCheckpoints";

export class SidePanel implements vscode.Disposable {
  /** Which report is shown: tell it what a person looks at. */
  readonly selection: Selection;
  private readonly catalogue: Catalogue;
  private readonly charts: ChartsView;
  private readonly checkpoints: CheckpointsView;
  private readonly disposables: { dispose(): void }[];
  private code: CodeReports | undefined;
  private readonly didChooseLayer = new vscode.EventEmitter<number | undefined>();
  /** A person chose a layer in the charts, or let go of it. */
  readonly onDidChooseLayer = this.didChooseLayer.event;

  constructor(private readonly services: SidePanelServices) {
    const { extensionUri, memory, guard, folders, store, reader, headlinesFile } = services;
    const catalogue = new Catalogue(folders, store, (files) =>
      reader.headlinesOf(files, headlinesFile),
    );
    this.catalogue = catalogue;
    this.selection = new Selection(
      {
        checkpoints: () => catalogue.checkpoints,
        hidesCheckpoints: () => catalogue.hiddenCheckpoints > 0,
        reports: () => catalogue.reports(),
        read: (key) => catalogue.read(key),
        reportOfCode: async (file) => this.code?.reportOf(file),
      },
      memory.get<string>(pinKey),
      (key) => {
        void memory.update(pinKey, key);
      },
    );
    this.charts = new ChartsView(extensionUri, guard, this.selection, {
      received: (message) => {
        switch (message.type) {
          case "open":
            return this.openShown();
          case "diagnose":
            return this.diagnoseShown();
          case "showIgnored":
            this.showIgnored(true);
            return undefined;
          case "layer":
            this.didChooseLayer.fire(message.layer);
            return undefined;
        }
      },
    });
    this.checkpoints = new CheckpointsView(catalogue, (report) => {
      this.keepUp(() => this.selection.choose(report.key));
    });
    this.disposables = [
      catalogue,
      this.checkpoints,
      this.didChooseLayer,
      vscode.window.registerWebviewViewProvider(views.charts, this.charts),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        this.follow(editor);
      }),
      catalogue.onDidChange(() => {
        this.keepUp(() => this.selection.update());
      }),
      this.selection.onDidChange(() => {
        this.tellMenus();
      }),
      ...this.registerCommands(),
    ];
    this.showIgnored(memory.get(ignoredKey) === true);
    this.follow(vscode.window.activeTextEditor);
  }

  /** The reports that may be of the workspace's code, and which of them is pinned. */
  get reports(): ReportSource {
    const { catalogue, selection } = this;
    const didChange = new vscode.EventEmitter<void>();
    let { pinned } = selection;
    this.disposables.push(
      didChange,
      selection.onDidChange(() => {
        if (selection.pinned === pinned) return;
        ({ pinned } = selection);
        didChange.fire();
      }),
      catalogue.onDidChange(() => {
        didChange.fire();
      }),
    );
    return {
      list: async () => {
        const all = await catalogue.reports();
        return all.map((report) => ({ ...report, isPinned: report.key === selection.pinned }));
      },
      read: (key) => catalogue.read(key),
      onDidChange: didChange.event,
    };
  }

  /** Highlights a layer that is meant elsewhere, by its index; undefined lets go. */
  highlight(layer: number | undefined): void {
    this.charts.highlight(layer);
  }

  /** The report that the charts show. */
  get shownReport(): Report | undefined {
    const { state } = this.selection.selected;
    return state.kind === "report" ? state.shown.report : undefined;
  }

  /** Shows the report that the code of a file is of, from now on. */
  followCode(code: CodeReports): void {
    this.code = code;
    const update = (): void => {
      this.keepUp(() => this.selection.update());
    };
    this.disposables.push(code.onDidChange(update));
    update();
  }

  /** Shows what the cursor in the code is at. */
  followCursor(at: AtCursor): void {
    this.charts.followCursor(at);
  }

  /** Shows the report of a panel that a person looks at, while it grows too. */
  followPanel(shown: CurrentReport): void {
    const { name, report, reportKey, isMeasuring = false } = shown;
    this.keepUp(() =>
      this.selection.followPanel({
        id: shown,
        name,
        isRunning: isMeasuring,
        ...(report !== undefined && { report }),
        ...(reportKey !== undefined && { key: reportKey }),
      }),
    );
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }

  private follow(editor: vscode.TextEditor | undefined): void {
    const uri = editor?.document.uri;
    if (uri?.scheme !== "file") return;
    const folder = vscode.workspace.getWorkspaceFolder(uri)?.uri.fsPath;
    this.keepUp(() => this.selection.followFile(uri.fsPath, folder));
  }

  /** What is looked up for the charts waits until they can be seen. */
  private keepUp(change: () => Promise<void>): void {
    void this.services.guard.run("find the report to show", async () => {
      if (this.charts.isVisible) await this.catalogue.refresh();
      await change();
    });
  }

  private registerCommands(): vscode.Disposable[] {
    const register = (
      command: string,
      doing: Doing,
      action: (nodes: readonly TreeNode[]) => unknown,
    ): vscode.Disposable =>
      vscode.commands.registerCommand(command, (node?: unknown, selection?: unknown) =>
        this.services.guard.run(doing, () => action(this.nodesOf(node, selection))),
      );
    const onRows = (command: string, doing: Doing, action: keyof RowActions): vscode.Disposable =>
      register(command, doing, async (nodes) => (await this.rowActions())[action](nodes));
    return [
      register(commands.openReport, "open the report", (nodes) => this.open(nodes)),
      register(commands.openShownReport, "open the report", () => this.openShown()),
      onRows(commands.diagnoseSelected, "diagnose the checkpoint", "diagnose"),
      onRows(commands.compareSelected, "compare the reports", "compare"),
      onRows(commands.revealCheckpoint, "reveal the checkpoint", "revealCheckpoint"),
      onRows(commands.revealReportFile, "reveal the report file", "revealReportFile"),
      onRows(commands.deleteReport, "delete the report", "delete"),
      register(commands.refreshCheckpoints, "search for checkpoints", () =>
        this.catalogue.search(),
      ),
      register(commands.showIgnoredCheckpoints, "list the checkpoints", () => {
        this.showIgnored(true);
      }),
      register(commands.hideIgnoredCheckpoints, "list the checkpoints", () => {
        this.showIgnored(false);
      }),
      register(commands.pinReport, "pin the report", () => this.selection.pin(true)),
      register(commands.unpinReport, "unpin the report", () => this.selection.pin(false)),
    ];
  }

  private async rowActions(): Promise<RowActions> {
    const { RowActions } = await import("./rowActions");
    const { services, catalogue } = this;
    return new RowActions({
      guard: services.guard,
      headlineOf: (file) => catalogue.headlineOf(file),
      deleteStored: (key) => catalogue.delete(key),
    });
  }

  /** A row's action is about all that is selected when the row is; a key is about the selection. */
  private nodesOf(node: unknown, selection: unknown): readonly TreeNode[] {
    const given = (Array.isArray(selection) ? selection : [node]).filter(isTreeNode);
    return given.length > 0 ? given : this.checkpoints.selection;
  }

  private async open(nodes: readonly TreeNode[]): Promise<void> {
    const reports = nodes.flatMap((node) => reportOf(node) ?? []);
    for (const { key, name } of reports) {
      if (!(await this.services.openStored(key))) {
        throw new Error(vscode.l10n.t("the stored report of {0} is gone or cannot be read.", name));
      }
    }
  }

  /** A report that is not stored is the one in the panel. */
  private async openShown(): Promise<void> {
    const { reportKey } = this.selection.selected;
    if (reportKey === undefined || !(await this.services.openStored(reportKey))) {
      this.services.showCurrent();
    }
  }

  private async diagnoseShown(): Promise<void> {
    const { checkpoint } = this.selection.selected;
    const target = checkpoint && vscode.Uri.file(checkpoint.path);
    await vscode.commands.executeCommand(commands.diagnoseDepth, target);
  }

  private showIgnored(showsIgnored: boolean): void {
    void this.services.memory.update(ignoredKey, showsIgnored);
    setContext(contextKeys.showsIgnored, showsIgnored);
    this.catalogue.showIgnored(showsIgnored);
  }

  private tellMenus(): void {
    const { reportKey } = this.selection.selected;
    setContext(contextKeys.showsStoredReport, reportKey !== undefined);
    setContext(contextKeys.hasPinnedReport, this.selection.pinned !== undefined);
  }
}

function isTreeNode(value: unknown): value is TreeNode {
  return typeof value === "object" && value !== null && "kind" in value;
}

function setContext(key: string, value: boolean): void {
  void vscode.commands.executeCommand("setContext", key, value);
}
