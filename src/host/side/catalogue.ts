/** What the side panel knows of: the checkpoints of the workspace and the reports of its store. */
import { readdir } from "node:fs/promises";
import * as vscode from "vscode";
import { isWeightPart } from "../../checkpoint/weightFiles";
import type { Report } from "../../diagnosis/report";
import { checkpointAt, type Checkpoint } from "../checkpoint";
import type { CheckpointFolders } from "../checkpointFolders";
import { namedCheckpoint } from "../checkpointPicker";
import { mapInBatches } from "../inBatches";
import type { ReportFileHeadline } from "../reading/reader";
import type { ReportStore } from "../reports/reportStore";
import type { KnownReport, ReportFile } from "./checkpointTree";
import { FileHeadlines } from "./fileHeadlines";
import { ReportFiles } from "./reportFiles";

/** Reports kept in memory: going back and forth between files reads none of them twice. */
const keptReports = 6;

export class Catalogue implements vscode.Disposable {
  private visible: readonly Checkpoint[] = [];
  private ignored: readonly Checkpoint[] = [];
  private readonly recent = new Map<string, Promise<Report | undefined>>();
  private readonly didChange = new vscode.EventEmitter<void>();
  readonly onDidChange = this.didChange.event;
  private readonly disposables: { dispose(): void }[];
  private readonly files = new ReportFiles();
  private readonly headlines: FileHeadlines;
  private readonly didReadHeadlines = new vscode.EventEmitter<readonly string[]>();
  /** The headlines of the report files of these paths have come. */
  readonly onDidReadHeadlines = this.didReadHeadlines.event;
  private isStale = true;
  private judging: Promise<void> | undefined;
  private lastTurn = 0;
  private listsIgnored = false;

  /** @param readHeadlines reads what is shown of report files, in their order */
  constructor(
    private readonly folders: CheckpointFolders,
    private readonly store: ReportStore,
    readHeadlines: (files: readonly string[]) => Promise<ReportFileHeadline[]>,
  ) {
    this.headlines = new FileHeadlines(readHeadlines, (files) => {
      this.didReadHeadlines.fire(files);
    });
    this.disposables = [
      folders.onDidChange(() => {
        this.isStale = true;
        this.headlines.reviseAll();
        this.didChange.fire();
      }),
      store.onDidChange(() => {
        this.recent.clear();
        this.didChange.fire();
      }),
      this.files,
      this.files.onDidChange((file) => {
        this.headlines.forget(file);
        this.didChange.fire();
      }),
      this.didReadHeadlines,
      this.didChange,
    ];
  }

  /** The checkpoints that are listed, as of the last `refresh`. */
  get checkpoints(): readonly Checkpoint[] {
    return this.listsIgnored ? [...this.visible, ...this.ignored] : this.visible;
  }

  /** How many more there are, which .gitignore names. */
  get hiddenCheckpoints(): number {
    return this.listsIgnored ? 0 : this.ignored.length;
  }

  /** Whether checkpoints that .gitignore names are listed too. */
  showIgnored(listsIgnored: boolean): void {
    if (listsIgnored === this.listsIgnored) return;
    this.listsIgnored = listsIgnored;
    this.didChange.fire();
  }

  /** Takes in what has been found since; waits for the first search of the workspace. */
  async refresh(): Promise<void> {
    const folders = await this.folders.known();
    if (this.isStale) {
      this.isStale = false;
      this.judging = this.judge(folders);
    }
    // Another call may have begun it.
    await this.judging;
  }

  /** Looks at the disk anew, and at what .gitignore says. */
  async search(): Promise<void> {
    this.isStale = true;
    this.files.forget();
    this.headlines.forgetAll();
    await this.folders.search();
    this.didChange.fire();
  }

  async reports(): Promise<KnownReport[]> {
    const headlines = await this.store.list();
    return headlines.map((headline) => ({
      ...headline,
      checkpoint: checkpointAt(headline.checkpointPath).key,
    }));
  }

  /** The reports in files of the workspace. */
  reportFiles(): Promise<readonly ReportFile[]> {
    return this.files.list();
  }

  /** What is known of a report file so far; what is not is read from now on. */
  headlineOf({ path }: ReportFile): ReportFileHeadline | undefined {
    this.headlines.want([path]);
    return this.headlines.of(path);
  }

  /** A whole report; undefined where it is gone. */
  read(key: string): Promise<Report | undefined> {
    const known = this.recent.get(key);
    if (known !== undefined) return known;
    const report = this.store.read(key);
    this.recent.set(key, report);
    const [oldest] = this.recent.keys();
    if (this.recent.size > keptReports && oldest !== undefined) this.recent.delete(oldest);
    return report;
  }

  /** @returns what brings it back, or undefined where there was none */
  delete(key: string): Promise<(() => Promise<void>) | undefined> {
    return this.store.delete(key);
  }

  private async judge(folders: readonly string[]): Promise<void> {
    const turn = ++this.lastTurn;
    // Loaded when the tree is first shown.
    const { GitIgnore } = await import("./gitIgnore");
    const opened = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
    const rules = new GitIgnore(opened);
    const judged = await mapInBatches(folders, async (folder) => ({
      checkpoint: namedCheckpoint(folder),
      isIgnored: await rules.ignoresAll(folder, await weightsIn(folder)),
    }));
    // A later look has overtaken this one.
    if (turn !== this.lastTurn) return;
    const having = (isIgnored: boolean): Checkpoint[] =>
      judged.filter((one) => one.isIgnored === isIgnored).map(({ checkpoint }) => checkpoint);
    this.visible = having(false);
    this.ignored = having(true);
  }

  dispose(): void {
    for (const disposable of this.disposables) disposable.dispose();
  }
}

/** What of a checkpoint is large, and what people keep out of a repository by the names of files. */
async function weightsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter(isWeightPart);
}
