/**
 * Knows the folders of the workspace that hold a checkpoint (weights, as their names tell), and
 * tells the explorer's context menu through a context key and whoever else listens.
 *
 * At first these are the folders that the explorer shows, each looked at as it comes into sight. The
 * whole workspace is searched when something needs all of them: a list, the side panel, a command.
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
import { stepCountsOf, stepsIn } from "../trainingRun/discover";
import { stepOfName } from "../trainingRun/stepName";
import { contextKeys } from "./ids";
import { mapInBatches } from "./inBatches";

/** `step-9` before `step-10`; made once, for to make one takes longer than to compare. */
const byNumber = new Intl.Collator(undefined, { numeric: true });

/** Files come in groups: what is written within this time is looked at together. */
const settleMs = 500;
/** The explorer shows many rows at once, one after the other. */
const gatherMs = 30;

export class CheckpointFolders implements vscode.Disposable {
  private readonly folders = new Set<string>();
  /** Those with weight files as of the last search: files of several steps are no one checkpoint. */
  private weightFolders: readonly string[] = [];
  /** Those that the explorer has shown, and how many steps of a run are in those that hold any. */
  private readonly shown = new Set<string>();
  private readonly shownSteps = new Map<string, number>();
  private readonly disposables: vscode.Disposable[] = [];
  /** Shown, and not yet looked at. */
  private readonly coming = new Set<string>();
  private lookTimer: NodeJS.Timeout | undefined;
  private readonly changed = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private watcher: vscode.FileSystemWatcher | undefined;
  private searching: vscode.CancellationTokenSource | undefined;
  private firstSearch: Promise<unknown> | undefined;
  private readonly started = Date.now();
  /** The folders that were known when this was last told. */
  private told = "";
  private telling = Promise.resolve();
  private readonly didChange = new vscode.EventEmitter<void>();
  /** Once all have been searched for: after every look at the disk that found another set of folders. */
  readonly onDidChange = this.didChange.event;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  /**
   * To be told of each file and folder that the explorer shows: folders among them are looked at.
   * Changes are watched from the first one on that is, or may become, a checkpoint's.
   */
  show(file: string): void {
    this.coming.add(file);
    this.lookTimer ??= setTimeout(() => {
      this.lookTimer = undefined;
      const all = [...this.coming];
      this.coming.clear();
      void this.lookAtNew(all);
    }, gatherMs);
  }

  /** What is known, in the order of the paths, once the first search has ended. */
  async known(): Promise<string[]> {
    await (this.firstSearch ?? this.search());
    return this.sorted();
  }

  /** Searches anew; the folders in the order of their paths. */
  async search(): Promise<string[]> {
    const search = this.searchAll();
    this.firstSearch ??= search;
    await search;
    return this.sorted();
  }

  /**
   * Searches anew; how many steps each folder holds that holds any, as the explorer's menu counts
   * them, in the order of the paths.
   */
  async searchSteps(): Promise<Map<string, number>> {
    await this.search();
    const counts = [...(await this.stepCounts())];
    return new Map(counts.sort(([a], [b]) => byNumber.compare(a, b)));
  }

  dispose(): void {
    clearTimeout(this.timer);
    clearTimeout(this.lookTimer);
    this.searching?.cancel();
    this.didChange.dispose();
    for (const disposable of this.disposables) disposable.dispose();
  }

  private watch(): void {
    if (this.watcher !== undefined) return;
    // A folder that is written at once sends no event for the files in it, so every creation counts.
    this.watcher = vscode.workspace.createFileSystemWatcher("**", false, true, false);
    const note = (file: vscode.Uri): void => {
      this.note(file.fsPath);
    };
    this.disposables.push(
      this.watcher,
      this.watcher.onDidCreate(note),
      this.watcher.onDidDelete(note),
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        if (this.firstSearch !== undefined) void this.search();
      }),
    );
  }

  private async searchAll(): Promise<void> {
    this.watch();
    // Of two searches at once only the later one counts.
    this.searching?.cancel();
    const searching = new vscode.CancellationTokenSource();
    this.searching = searching;
    const { token } = searching;
    try {
      const excluded = "**/node_modules/**";
      const files = await vscode.workspace.findFiles(weightsGlob, excluded, undefined, token);
      const found = new Set(files.map((file) => path.dirname(file.fsPath)));
      this.weightFolders = [...found];
      // A folder deleted whole sends no event for the files that were in it.
      await this.check([...new Set([...found, ...this.folders])]);
      this.log.info(`Searched the workspace: ${this.folders.size} folders hold a checkpoint.`);
    } catch (error) {
      if (!token.isCancellationRequested)
        this.log.error("The search for checkpoint folders failed.", error);
    } finally {
      searching.dispose();
    }
  }

  private sorted(): string[] {
    return [...this.folders].sort(byNumber.compare);
  }

  /** How many steps each folder holds that holds any, as subfolders or as weight files. */
  private async stepCounts(): Promise<Map<string, number>> {
    const folders = [...this.folders];
    const counts = stepCountsOf(folders);
    const atLeast = (folder: string, count: number): void => {
      if (count > (counts.get(folder) ?? 0)) counts.set(folder, count);
    };
    await mapInBatches(folders, async (folder) => {
      atLeast(folder, await countStepFiles(folder));
    });
    const others = this.weightFolders.filter((folder) => !this.folders.has(folder));
    await mapInBatches(others, async (folder) => {
      atLeast(folder, await countSteps(folder));
    });
    for (const [folder, count] of this.shownSteps) atLeast(folder, count);
    return counts;
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
    // A step of a run comes as a folder, or as files in one.
    const around = changed.flatMap((file) => {
      const folder = path.dirname(file);
      return [file, folder, path.dirname(folder)];
    });
    await this.lookAtShown(around);
    if (this.firstSearch === undefined) return this.tell();
    const marks = changed.filter((file) => isCheckpointMark(path.basename(file)));
    const others = changed.filter((file) => !marks.includes(file));
    // So many at once are a checkout or an installation: one search costs less than a look at each.
    if (others.length > 200 || (await anyFolder(others))) await this.search();
    else await this.check([...new Set(marks.map((file) => path.dirname(file)))]);
  }

  private async lookAtNew(files: readonly string[]): Promise<void> {
    await mapInBatches(files, async (file) => {
      const entry = await stat(file).catch(() => undefined);
      if (entry?.isDirectory() !== true) return;
      this.shown.add(file);
      const mayBecomeOne =
        entry.birthtimeMs > this.started || stepOfName(path.basename(file)) !== undefined;
      if (mayBecomeOne || (await namesIn(file)).some(isCheckpointMark)) this.watch();
    });
    // With its first or second step a folder that was shown before becomes a run's.
    await this.lookAtShown(files.flatMap((file) => [file, path.dirname(file)]));
    await this.tell();
  }

  /** Looks at those of `files` that are folders which the explorer has shown. */
  private async lookAtShown(files: readonly string[]): Promise<void> {
    const folders = [...new Set(files)].filter((file) => this.shown.has(file));
    await mapInBatches(folders, async (folder) => {
      put(this.folders, folder, holdsCheckpoint(await namesIn(folder)));
      const steps = await countSteps(folder);
      if (steps > 0) this.shownSteps.set(folder, steps);
      else this.shownSteps.delete(folder);
    });
  }

  private async check(candidates: string[]): Promise<void> {
    await mapInBatches(candidates, async (folder) => {
      put(this.folders, folder, holdsCheckpoint(await namesIn(folder)));
    });
    await this.tell();
  }

  /** One after the other: what was found later must not be overtaken. */
  private tell(): Promise<void> {
    const next = (): Promise<void> => this.tellNow();
    return (this.telling = this.telling.then(next, next));
  }

  private async tellNow(): Promise<void> {
    const counts = [...(await this.stepCounts())];
    const holding = (atLeast: number): string[] =>
      counts.filter(([, count]) => count >= atLeast).map(([folder]) => folder);
    const [runs, ofSteps] = [holding(2), holding(1)];
    const now = JSON.stringify([this.sorted(), runs, ofSteps]);
    if (now === this.told) return;
    this.told = now;
    for (const [key, folders] of [
      [contextKeys.checkpointFolders, this.folders],
      [contextKeys.runFolders, runs],
      [contextKeys.stepFolders, ofSteps],
    ] as const) {
      // `resourcePath` is the file system path on the desktop and the URI's path in a browser.
      const paths = [...folders].flatMap((folder) => [folder, vscode.Uri.file(folder).path]);
      await vscode.commands.executeCommand("setContext", key, [...new Set(paths)]);
    }
    if (this.firstSearch !== undefined) this.didChange.fire();
  }
}

function put(set: Set<string>, item: string, belongs: boolean): void {
  if (belongs) set.add(item);
  else set.delete(item);
}

/** A folder that is too large, or cannot be read, is offered nothing. */
async function countSteps(folder: string): Promise<number> {
  const steps = await stepsIn(folder).catch(() => []);
  return steps.length;
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

/** Of how many steps there are weight files. */
async function countStepFiles(folder: string): Promise<number> {
  const weights = (await namesIn(folder)).filter(isWeightName);
  return new Set(weights.map(stepOfName).filter((step) => step !== undefined)).size;
}
