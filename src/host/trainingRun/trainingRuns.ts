/** The commands that speak of training runs, and all runs of this window: one for each folder. */
import path from "node:path";
import * as vscode from "vscode";
import { discoverRun } from "../../trainingRun/discover";
import { TrainingRunError } from "../../trainingRun/errors";
import { namedCheckpoint } from "../checkpointPicker";
import type { CheckpointFolders } from "../checkpointFolders";
import { contextKeys } from "../ids";
import { isOfPanel } from "../panelArgument";
import type { PageExporter } from "../pageExporter";
import type { PageServices } from "../pagePanel";
import type { Reader } from "../reading/reader";
import type { ReportSource } from "../reportSource";
import { savedSource } from "../savedSource";
import type { StatusLine } from "../statusLine";
import { RunSession } from "./runSession";
import { ShownRun } from "./shownRun";
import type { WatchedRuns } from "./watchedRuns";
import { WatchRulePicker } from "./watchRulePicker";
import { watchSettingsFor } from "./watchSettingsFor";

export interface TrainingRunServices extends PageServices {
  log: vscode.LogOutputChannel;
  told: StatusLine;
  exporter: PageExporter;
  reader: Reader;
  folders: CheckpointFolders;
  reports: ReportSource;
  /** Of this workspace. */
  memory: vscode.Memento;
  watchedRuns: WatchedRuns;
}

/** How many steps a folder has to hold: to be watched, it need not hold the first yet. */
const least = { diagnose: 2, compare: 2, watch: 0, show: 0 } as const;

export class TrainingRuns implements vscode.Disposable {
  private readonly byFolder = new Map<string, ShownRun>();
  private current: ShownRun | undefined;

  private readonly watchRules: WatchRulePicker;

  constructor(private readonly services: TrainingRunServices) {
    this.watchRules = new WatchRulePicker(services.memory);
  }

  /**
   * @param target a URI or path of a run's folder, or nothing: then the user is asked
   * @param selection all that was selected in the explorer; two runs are shown in one panel
   */
  async diagnose(target?: unknown, selection?: unknown): Promise<void> {
    const runs = await this.runsOf("diagnose", target, selection);
    const [first, second] = runs;
    if (runs.length === 2 && first && second) await diagnosePair(first, second);
    else await Promise.all(runs.map(diagnoseAlone));
  }

  /**
   * Shows two runs in one panel: those that are selected, else the named one, else that of the panel
   * that is looked at, and another that the user is asked for.
   */
  async compare(target?: unknown, selection?: unknown): Promise<void> {
    const { current } = this;
    const isOfCurrent = isOfPanel(target) || (target === undefined && current?.isActive === true);
    const runs =
      isOfCurrent && current ? [current] : await this.runsOf("compare", target, selection);
    const [first, chosen] = runs;
    if (runs.length > 2) {
      throw new Error(
        vscode.l10n.t("two runs can be compared with each other, not {0}.", runs.length),
      );
    }
    const second = first && (chosen ?? (await this.chooseOther(first.session.folder)));
    if (first && second) await diagnosePair(first, second);
  }

  /**
   * Watches the run of the panel that is looked at, unless another is named or that one is watched
   * already.
   */
  async watch(target?: unknown, selection?: unknown): Promise<void> {
    const { current } = this;
    const isOfCurrent =
      isOfPanel(target) ||
      (target === undefined && current?.isActive === true && !current.isWatching);
    const runs = isOfCurrent && current ? [current] : await this.runsOf("watch", target, selection);
    for (const run of runs) await run.askAndWatch();
  }

  /** Watches on what was watched when the window closed. */
  async resumeWatching(): Promise<void> {
    const { guard, watchedRuns } = this.services;
    const resumed = Object.entries(watchedRuns.all).map(([folder, watched]) =>
      guard.run("watch the run", async () => {
        try {
          await (await this.runAt(folder, "watch")).resumeWatching(watched);
        } catch (error) {
          // What is gone is told of once, not in every window from now on.
          if (error instanceof TrainingRunError) await watchedRuns.remove(folder);
          throw error;
        }
      }),
    );
    await Promise.all(resumed);
  }

  /** Fills a panel of an earlier window again. */
  async restore(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const { folder, other } = savedSource(state);
    // Closed before it was ever told what it shows.
    if (typeof folder !== "string") {
      panel.dispose();
      return;
    }
    try {
      const run = await this.runAt(folder, "show");
      const beside = typeof other === "string" ? await this.runAt(other, "show") : undefined;
      await run.restore(panel, beside);
    } catch (error) {
      panel.dispose();
      throw error;
    }
  }

  async stopWatching(): Promise<void> {
    const watched = [...this.byFolder.values()].filter((run) => run.isWatching);
    const run = watched.length > 1 ? await pickOne(watched) : watched[0];
    run?.stopWatching();
  }

  dispose(): void {
    for (const run of this.byFolder.values()) run.dispose();
  }

  private async runsOf(
    purpose: "diagnose" | "compare" | "watch",
    target: unknown,
    selection: unknown,
  ): Promise<ShownRun[]> {
    const uris: unknown[] = Array.isArray(selection) ? selection : [];
    const targets = uris.length > 1 ? uris : [target ?? (await this.pickFolder(purpose))];
    const folders = targets.filter((one) => one !== undefined).map(folderOf);
    return Promise.all([...new Set(folders)].map((folder) => this.runAt(folder, purpose)));
  }

  /** @throws {TrainingRunError} when the folder cannot be read or holds too few steps */
  private async runAt(folder: string, purpose: keyof typeof least): Promise<ShownRun> {
    const known = this.byFolder.get(folder);
    // One that was watched before its first step may hold too few to be diagnosed, then and now.
    if (known && known.session.run.steps.length >= least[purpose]) return known;
    const session = new RunSession(
      await discoverRun(folder, least[purpose]),
      this.services.reports,
      namedCheckpoint,
      this.services.reader,
    );
    // Another call may have been quicker.
    const quicker = this.byFolder.get(folder);
    if (quicker) return quicker;
    const shown: ShownRun = new ShownRun(session, {
      ...this.services,
      watchSettings: watchSettingsFor,
      watchRules: this.watchRules,
      chooseOther: (than) => this.chooseOther(than),
      becameCurrent: (current) => {
        this.current = current;
      },
      watchingChanged: () => {
        const isWatching = [...this.byFolder.values()].some((one) => one.isWatching);
        void vscode.commands.executeCommand("setContext", contextKeys.isWatchingRun, isWatching);
      },
    });
    this.byFolder.set(folder, shown);
    return shown;
  }

  private async chooseOther(than: string): Promise<ShownRun | undefined> {
    const folder = await this.pickFolder("layBeside", than);
    return folder === undefined ? undefined : this.runAt(folder, "diagnose");
  }

  /** @param except a folder that is not offered */
  private async pickFolder(
    purpose: keyof typeof titles,
    except?: string,
  ): Promise<string | undefined> {
    const title = titles[purpose]();
    const counts = await this.services.folders.searchSteps();
    const known = [...counts]
      .filter(([folder, count]) => folder !== except && (count >= 2 || purpose === "watch"))
      .map(([folder]) => folder);
    const browse = vscode.l10n.t("Browse for a folder of checkpoints…");
    const choice = await vscode.window.showQuickPick(
      [
        ...known.map((folder) => ({
          label: namedCheckpoint(folder).name,
          iconPath: new vscode.ThemeIcon("graph-line"),
          folder,
        })),
        { label: "", kind: vscode.QuickPickItemKind.Separator, folder: undefined },
        { label: browse, iconPath: new vscode.ThemeIcon("folder-opened"), folder: undefined },
      ],
      { title, placeHolder: vscode.l10n.t("Which training run?") },
    );
    if (choice?.label !== browse) return choice?.folder;
    const start = vscode.workspace.workspaceFolders?.[0]?.uri;
    const [chosen] =
      (await vscode.window.showOpenDialog({
        title,
        openLabel: vscode.l10n.t("Choose"),
        canSelectFiles: false,
        canSelectFolders: true,
        ...(start === undefined ? {} : { defaultUri: start }),
      })) ?? [];
    return chosen === undefined ? undefined : path.normalize(chosen.fsPath);
  }
}

const titles = {
  diagnose: () => vscode.l10n.t("Diagnose Run"),
  watch: () => vscode.l10n.t("Watch Run"),
  compare: () => vscode.l10n.t("Compare Runs"),
  layBeside: () => vscode.l10n.t("Compare With Another Run"),
};

/** Both in the panel of the first. */
async function diagnosePair(first: ShownRun, second: ShownRun): Promise<void> {
  first.layBeside(second);
  await first.diagnose();
}

/** In its own panel, without the run that may have been beside it. */
async function diagnoseAlone(run: ShownRun): Promise<void> {
  run.layBeside(undefined);
  await run.diagnose();
}

async function pickOne(runs: readonly ShownRun[]): Promise<ShownRun | undefined> {
  const choice = await vscode.window.showQuickPick(
    runs.map((run) => ({ label: run.session.name, description: run.session.folder, run })),
    { title: vscode.l10n.t("Stop Watching Run"), placeHolder: vscode.l10n.t("Which run?") },
  );
  return choice?.run;
}

/** A URI or path, as menus and callers pass it. */
function folderOf(target: unknown): string {
  if (target instanceof vscode.Uri && target.scheme === "file") return path.resolve(target.fsPath);
  if (typeof target === "string") return path.resolve(target);
  const shown = target instanceof vscode.Uri ? target.toString() : JSON.stringify(target);
  throw new Error(vscode.l10n.t("expected a folder on this machine, not {0}.", shown));
}
