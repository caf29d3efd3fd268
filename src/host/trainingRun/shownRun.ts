/** One training run as the editor sees it: its panel, its progress, and whether it is watched. */
import * as vscode from "vscode";
import path from "node:path";
import type { ExportFormat, HostToRun, RunStatus, RunToHost } from "../../protocol/messages";
import { wholeNumber } from "../../report/format";
import { alertsOf, type AlertRules } from "../../trainingRun/alerts";
import type { NamedRun, RunStepReport } from "../../trainingRun/runReport";
import { webviews } from "../ids";
import type { PageExporter } from "../pageExporter";
import { PagePanel, type PageServices } from "../pagePanel";
import type { Reader } from "../reading/reader";
import { StatusLine } from "../statusLine";
import { runLine } from "./runLine";
import type { RunObserver, RunSession } from "./runSession";
import { RunWatch } from "./runWatch";
import type { WatchRulePicker } from "./watchRulePicker";
import type { WatchedRun, WatchedRuns } from "./watchedRuns";
import type { WatchSettings } from "./watchSettings";

/** What all runs share. */
export interface RunServices extends PageServices {
  log: vscode.LogOutputChannel;
  /** What came of a run that nobody looks at. */
  told: StatusLine;
  reader: Reader;
  exporter: PageExporter;
  watchSettings: (folder: string) => WatchSettings;
  watchRules: WatchRulePicker;
  watchedRuns: WatchedRuns;
  /** Asks for the run to lay beside another. */
  chooseOther: (folder: string) => Promise<ShownRun | undefined>;
  becameCurrent: (run: ShownRun) => void;
  watchingChanged: () => void;
}

export class ShownRun implements vscode.Disposable {
  private panel: PagePanel<HostToRun, RunToHost> | undefined;
  private watch: RunWatch | undefined;
  /** What to warn of where the settings name nothing. */
  private chosenRules: AlertRules = {};
  private readonly line = new StatusLine("run", vscode.l10n.t("Fathom: training run"));
  private readonly warned = new Set<keyof AlertRules>();
  private other: { run: ShownRun; end: () => void } | undefined;
  /** While this run is measured together with another. */
  private pair: MeasuredPair | undefined;

  constructor(
    readonly session: RunSession,
    private readonly services: RunServices,
  ) {
    session.observe({
      ...this.tellingOf(0),
      status: (status) => {
        this.tellStatus();
        this.showLine(status);
      },
      measured: (step) => {
        void services.guard.run("check the thresholds", () => {
          this.warn(step);
        });
      },
    });
  }

  get isWatching(): boolean {
    return this.watch !== undefined;
  }

  /** True for the panel that commands without an argument speak of. */
  get isActive(): boolean {
    return this.panel?.isActive === true;
  }

  /**
   * Opens the panel, or brings it to the front.
   *
   * @param earlier a panel of an earlier window, to be filled again
   */
  show(earlier?: vscode.WebviewPanel): void {
    if (this.panel) {
      earlier?.dispose();
      this.panel.reveal();
    } else this.open(earlier);
    this.services.becameCurrent(this);
  }

  /**
   * Fills a panel of an earlier window with what is at hand; nothing is measured.
   *
   * @param beside the run that was beside this one, if any
   */
  async restore(earlier: vscode.WebviewPanel, beside?: ShownRun): Promise<void> {
    if (beside) this.layBeside(beside);
    this.show(earlier);
    const { sessions } = this;
    await Promise.all(sessions.flatMap((one) => [one.readLosses(), one.recall()]));
  }

  /**
   * Measures what is missing in the run, and in the one beside it, which takes as long as it takes: the
   * status bar says how far each is.
   */
  async diagnose(): Promise<void> {
    this.show();
    const beside = this.other?.run;
    const pair = beside && { first: this, second: beside };
    const runs = [this, ...(beside ? [beside] : [])];
    for (const run of runs) run.pair = pair;
    await Promise.all(runs.map((run) => run.measure()));
    for (const run of runs) if (run.pair === pair) run.pair = undefined;
    const areDone = runs.every(({ session }) => session.status.phase === "done");
    if (areDone && this.panel?.isVisible !== true) this.offerPanel(pair);
  }

  /** Shows the panel that the run is measured in, with the other one in it if it had been closed. */
  private reopen(pair: MeasuredPair | undefined): void {
    if (pair === undefined) {
      this.show();
      return;
    }
    const { first, second } = pair;
    if (!first.panel) first.layBeside(second);
    // Meanwhile the panel may show another run in the place of the second.
    if (this === first || first.other?.run === this) first.show();
    else this.show();
  }

  private async measure(): Promise<void> {
    const { session } = this;
    await session.refresh();
    await session.measure();
    const { phase, finished, planned } = session.status;
    this.services.log.info(`Run ${session.folder}: ${phase}, ${finished} of ${planned} steps.`);
  }

  /** Starts to watch, once it is known what to warn of: where the settings do not say, a person does. */
  async askAndWatch(): Promise<void> {
    const { session, services } = this;
    if (this.watch) {
      this.show();
      return;
    }
    const { rules } = services.watchSettings(session.folder);
    const isSet = Object.keys(rules).length > 0;
    const chosen = isSet ? {} : await services.watchRules.ask();
    if (chosen === undefined) return;
    this.show();
    await this.startWatching(chosen);
  }

  /**
   * Watches on as in an earlier window: in silence, and with no panel but one that comes back. What
   * has become complete since that window closed is measured like any other new step.
   */
  async resumeWatching({ rules, earlier }: WatchedRun): Promise<void> {
    await this.startWatching(rules, earlier);
  }

  /**
   * Diagnoses each new checkpoint once it is complete, until told to stop.
   *
   * @param chosenRules what to warn of where the settings name nothing
   * @param earlier the steps that were complete when the watch began, unless it begins now
   */
  private async startWatching(chosenRules: AlertRules, earlier?: readonly number[]): Promise<void> {
    const { session, services } = this;
    if (this.watch) return;
    this.chosenRules = chosenRules;
    const { settleMs } = services.watchSettings(session.folder);
    const before = new Set<number>(earlier);
    const taken = new Set<number>();
    const watch: RunWatch = new RunWatch({
      folder: session.folder,
      settleMs,
      reader: services.reader,
      isKnown: (step) => before.has(step) || taken.has(step),
      isWorthAnother: (step) =>
        session.hasFailed(step) ||
        (before.has(step) && !taken.has(step) && !session.hasReport(step)),
      onIncomplete: (step, reason) => {
        services.log.info(`Run ${session.folder}: ${step.name} is not complete. ${reason}`);
      },
      onComplete: async (step) => {
        services.log.info(`Run ${session.folder}: ${step.name} is complete.`);
        taken.add(step.step);
        await session.add(step);
        if (this.watch !== watch) return;
        void services.guard.run("diagnose a new checkpoint", () => session.measureFirst(step.step));
      },
      onProblem: (error) => {
        services.log.warn(`Run ${session.folder} could not be looked at.`, error);
      },
    });
    // Known as the watch from here on: it may be asked for again, or stopped, before it has begun.
    this.watch = watch;
    try {
      // What is complete by now is not new; the panel offers to measure it. What only looked
      // complete changes yet, and comes again then.
      if (earlier === undefined) {
        for (const step of await session.completeSteps()) before.add(step);
      }
      await session.readLosses();
      if (earlier !== undefined) {
        await session.recall();
        for (const { step } of session.run.steps) if (session.hasReport(step)) taken.add(step);
      }
    } catch (error) {
      this.stopWatching();
      throw error;
    }
    if (this.watch !== watch) return;
    services.log.info(`Watching ${session.folder}.`);
    watch.start();
    session.setWatching(true);
    services.watchingChanged();
    // What began before stays as it is kept.
    if (earlier !== undefined) return;
    await services.watchedRuns.add(session.folder, { rules: chosenRules, earlier: [...before] });
  }

  stopWatching(): void {
    const { session, services } = this;
    this.watch?.stop();
    this.watch = undefined;
    session.setWatching(false);
    this.warned.clear();
    services.log.info(`Stopped watching ${session.folder}.`);
    services.watchingChanged();
    void services.watchedRuns.remove(session.folder);
  }

  /** Lays another run beside this one, or takes it away. */
  layBeside(other: ShownRun | undefined): void {
    this.other?.end();
    this.other = undefined;
    if (other !== undefined && other !== this) {
      this.other = { run: other, end: other.session.observe(this.tellingOf(1)) };
    }
    this.tellRuns();
  }

  dispose(): void {
    this.watch?.stop();
    this.session.dispose();
    this.other?.end();
    this.line.dispose();
    this.panel?.dispose();
  }

  private open(earlier: vscode.WebviewPanel | undefined): void {
    this.panel = new PagePanel<HostToRun, RunToHost>(
      earlier ??
        vscode.window.createWebviewPanel(webviews.run, this.title, {
          viewColumn: vscode.ViewColumn.Active,
          preserveFocus: true,
        }),
      "run",
      this.services,
      {
        messages: () => [this.runsMessage()],
        received: (message) => this.receive(message),
        closed: () => {
          this.panel = undefined;
          // The page has kept for a reload what it showed.
          this.layBeside(undefined);
        },
        becameActive: () => {
          this.services.becameCurrent(this);
        },
      },
      "do what the panel asked",
    );
  }

  /** What the panel is told of one of its runs. */
  private tellingOf(place: 0 | 1): RunObserver {
    return {
      run: () => {
        this.tellRuns();
      },
      step: (step) => {
        this.panel?.post({ type: "step", place, step, statuses: this.statuses });
      },
      status: () => {
        this.tellStatus();
      },
    };
  }

  private tellRuns(): void {
    this.panel?.rename(this.title);
    this.panel?.post(this.runsMessage());
  }

  private get title(): string {
    return vscode.l10n.t("Run {0}", this.runs.map(({ name }) => name).join(" · "));
  }

  private tellStatus(): void {
    this.panel?.postSoon({ type: "status", statuses: this.statuses });
  }

  private runsMessage(): HostToRun {
    return { type: "runs", runs: this.runs, statuses: this.statuses };
  }

  /** The run's own session, and that of the run beside it. */
  private get sessions(): RunSession[] {
    return [this.session, ...(this.other ? [this.other.run.session] : [])];
  }

  private get statuses(): RunStatus[] {
    return this.sessions.map(({ status }) => status);
  }

  /** Under names that tell them apart. */
  private get runs(): NamedRun[] {
    const { sessions } = this;
    const areAlike = new Set(sessions.map(({ name }) => name)).size < sessions.length;
    return sessions.map(({ name, folder, run }) => ({
      name: areAlike ? path.join(path.basename(path.dirname(folder)), name) : name,
      run,
    }));
  }

  private receive(message: Exclude<RunToHost, { type: "ready" }>): unknown {
    switch (message.type) {
      case "cancel":
        for (const session of this.sessions) session.cancel();
        return undefined;
      case "resume":
        return this.diagnose();
      case "watch":
        return this.askAndWatch();
      case "stopWatching":
        this.stopWatching();
        return undefined;
      case "chooseOther":
        return this.chooseOther();
      case "dropOther":
        this.layBeside(undefined);
        return undefined;
      case "export":
        return this.export(message.format, message.png);
      case "failed":
        throw new Error(message.message);
    }
  }

  private export(format: ExportFormat, png: string | undefined): Promise<void> {
    const { name, folder } = this.session;
    const [shown, other] = this.runs as [NamedRun, NamedRun?];
    const exported = other ? { ...shown, other } : shown;
    return this.services.exporter.export(
      {
        title: (label) => vscode.l10n.t("Export Run as {0}", label),
        name: `run-${name}`,
        folder: path.dirname(folder),
        content: (format, webview) => this.services.reader.runContent(exported, format, webview),
        png,
      },
      format,
    );
  }

  private async chooseOther(): Promise<void> {
    const other = await this.services.chooseOther(this.session.folder);
    if (other === undefined) return;
    this.layBeside(other);
    await this.diagnose();
  }

  private showLine(status: RunStatus): void {
    const line = runLine(status, this.session);
    if (line === undefined) this.line.hide();
    else {
      const follow = (): void => {
        this.reopen(this.pair);
      };
      this.line.show({ ...line, follow });
    }
  }

  /** Warns of each threshold once, and only of what came while the run is watched. */
  private warn({ step, report }: RunStepReport): void {
    const { session, services } = this;
    if (!this.watch || report === undefined) return;
    const rules = { ...this.chosenRules, ...services.watchSettings(session.folder).rules };
    for (const alert of alertsOf(report, rules)) {
      const at = wholeNumber(step);
      const told = vscode.l10n.t("At step {0} of {1}, {2}.", at, session.name, alert.text);
      services.log.warn(told);
      session.notice(told);
      if (this.warned.has(alert.rule)) continue;
      this.warned.add(alert.rule);
      const showRun = vscode.l10n.t("Show Run");
      void vscode.window.showWarningMessage(told, showRun).then((choice) => {
        if (choice === showRun) this.show();
      });
    }
  }

  private offerPanel(pair: MeasuredPair | undefined): void {
    this.services.told.tell({
      text: `$(check) ${vscode.l10n.t("Fathom: {0} is measured", this.session.name)}`,
      tooltip: vscode.l10n.t(
        "The run {0} has been measured. Click to see it.",
        this.session.folder,
      ),
      follow: () => {
        this.reopen(pair);
      },
    });
  }
}

/** Two runs that are measured in the panel of the first. */
interface MeasuredPair {
  first: ShownRun;
  second: ShownRun;
}
