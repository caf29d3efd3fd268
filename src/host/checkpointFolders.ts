/**
 * Knows the folders of the workspace that hold a checkpoint (weights, as their names tell), and
 * tells the explorer's context menu through a context key and whoever else listens.
 */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import * as vscode from "vscode";
import {
  holdsCheckpoint,
  isCheckpointMark,
  isWeightName,
  weightsGlob,
} from "../checkpoint/weightFiles";
import { runFoldersOf } from "../trainingRun/discover";
import { stepOfName } from "../trainingRun/stepName";
import { contextKeys } from "./ids";
import { mapInBatches } from "./inBatches";

/** `step-9` before `step-10`; made once, for to make one takes longer than to compare. */
const byNumber = new Intl.Collator(undefined, { numeric: true });

/** Files come in groups: what is written within this time is looked at together. */
const settleMs = 500;

export class CheckpointFolders implements vscode.Disposable {
  private readonly folders = new Set<string>();
  private readonly disposables: vscode.Disposable[] = [];
  private readonly changed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private searching: vscode.CancellationTokenSource | undefined;
  private firstSearch: Promise<unknown> | undefined;
  private readonly didChange = new vscode.EventEmitter<void>();
  /** After every look at the disk that found another set of folders. */
  readonly onDidChange = this.didChange.event;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  /** Watches, and begins to search without waiting for the result. */
  start(): void {
    // A folder that is written at once sends no event for the files in it, so every creation counts.
    const watcher = vscode.workspace.createFileSystemWatcher("**", false, true, false);
    const note = (file: vscode.Uri): void => {
      this.note(file.fsPath);
    };
    watcher.onDidCreate(note);
    watcher.onDidDelete(note);
    this.disposables.push(
      watcher,
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        void this.search();
      }),
    );
    this.firstSearch ??= this.search();
  }

  /** What is known, in the order of the paths, once the first search has ended. */
  async known(): Promise<string[]> {
    await (this.firstSearch ??= this.search());
    return this.sorted();
  }

  /** Searches anew; the folders in the order of their paths. */
  async search(): Promise<string[]> {
    // Of two searches at once only the later one counts.
    this.searching?.cancel();
    const searching = new vscode.CancellationTokenSource();
    this.searching = searching;
    const { token } = searching;
    try {
      const excluded = "**/node_modules/**";
      const files = await vscode.workspace.findFiles(weightsGlob, excluded, undefined, token);
      const found = new Set(files.map((file) => path.dirname(file.fsPath)));
      // A folder deleted whole sends no event for the files that were in it.
      await this.check([...new Set([...found, ...this.folders])]);
    } catch (error) {
      if (!token.isCancellationRequested)
        this.log.error("The search for checkpoint folders failed.", error);
    } finally {
      searching.dispose();
    }
    return this.sorted();
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.searching?.cancel();
    this.didChange.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private sorted(): string[] {
    return [...this.folders].sort(byNumber.compare);
  }

  /** The folders that hold the checkpoints of a run, as subfolders or as weight files. */
  private async runFolders(): Promise<string[]> {
    const folders = [...this.folders];
    const ofFiles = await mapInBatches(folders, async (folder) =>
      (await holdsSteps(folder)) ? [folder] : [],
    );
    return [...new Set([...runFoldersOf(folders), ...ofFiles.flat()])];
  }

  private note(changed: string): void {
    this.changed.add(changed);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const all = [...this.changed];
      this.changed.clear();
      void this.lookAt(all);
    }, settleMs);
  }

  private async lookAt(changed: string[]): Promise<void> {
    const marks = changed.filter((file) => isCheckpointMark(path.basename(file)));
    const others = changed.filter((file) => !marks.includes(file));
    // So many at once are a checkout or an installation: one search costs less than a look at each.
    if (others.length > 200 || (await anyFolder(others))) await this.search();
    else if (marks.length > 0)
      await this.check([...new Set(marks.map((file) => path.dirname(file)))]);
  }

  private async check(candidates: string[]): Promise<void> {
    const before = this.sorted().join("\0");
    await mapInBatches(candidates, async (folder) => {
      if (holdsCheckpoint(await namesIn(folder))) this.folders.add(folder);
      else this.folders.delete(folder);
    });
    // `resourcePath` is the file system path on the desktop and the URI's path in a browser.
    const paths = [...this.folders].flatMap((folder) => [folder, vscode.Uri.file(folder).path]);
    await vscode.commands.executeCommand("setContext", contextKeys.checkpointFolders, [
      ...new Set(paths),
    ]);
    const runs = await this.runFolders();
    const runPaths = runs.flatMap((folder) => [folder, vscode.Uri.file(folder).path]);
    await vscode.commands.executeCommand("setContext", contextKeys.runFolders, [
      ...new Set(runPaths),
    ]);
    this.log.debug(`${this.folders.size} checkpoint folders in the workspace.`);
    if (this.sorted().join("\0") !== before) this.didChange.fire();
  }
}

async function anyFolder(candidates: string[]): Promise<boolean> {
  const entries = await Promise.all(
    candidates.map((candidate) => stat(candidate).catch(() => undefined)),
  );
  return entries.some((entry) => entry?.isDirectory() === true);
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((): string[] => []);
}

/** True for a folder with the weight files of at least two steps. */
async function holdsSteps(folder: string): Promise<boolean> {
  const weights = (await namesIn(folder)).filter(isWeightName);
  return new Set(weights.map(stepOfName).filter((step) => step !== undefined)).size >= 2;
}
