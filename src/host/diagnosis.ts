/** One checkpoint as the editor sees it: its run, its panel, its progress and what went wrong. */
import * as vscode from "vscode";
import type { Outcome } from "../engineClient";
import type { NormSummary, Report } from "../diagnosis/report";
import type { ExportFormat, Failure, PanelState } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import type { CurrentReport } from "./diagnoses";
import { progressText } from "../report/progress";
import { createPanel, DiagnosisPanel } from "./diagnosisPanel";
import { DiagnosisRun, withEarlier, type RunObserver, type StartEngine } from "./diagnosisRun";
import type { Guard } from "./guard";
import { openSetting } from "./openSetting";
import type { ReportExporter } from "./reportExporter";
import type { ReportMemory, StoredReport } from "./reports/reportMemory";
import type { Readings } from "./readings/readings";
import { ShownProgress } from "./shownProgress";
import type { StatusLine } from "./statusLine";
import type { Turnstile } from "./turnstile";

/** What all diagnoses share. */
export interface DiagnosisServices {
  extensionUri: vscode.Uri;
  log: vscode.LogOutputChannel;
  guard: Guard;
  /** What came of a diagnosis that nobody looks at. */
  told: StatusLine;
  exporter: ReportExporter;
  turnstile: Turnstile;
  memory: ReportMemory;
  startEngine: StartEngine;
  readings: Readings;
  /** The editor column for a new panel. */
  panelColumn(): vscode.ViewColumn;
  /** The diagnosis that commands without an argument speak of is now this one. */
  becameCurrent(diagnosis: Diagnosis): void;
  /** A person chose a layer in the panel, or let go of it. */
  choseLayer(layer: number | undefined): void;
}

export interface StartOptions {
  /** The same checkpoint, perhaps pointed at by another of its files. */
  checkpoint?: Checkpoint;
  /** Measure even where an unchanged checkpoint was measured before. */
  isAnew?: boolean;
  /** Nobody waits for it: it is told of in the status bar only. */
  isBackground?: boolean;
  /** Cancels the run that is started, and no later one. */
  signal?: AbortSignal;
}

export class Diagnosis implements CurrentReport, vscode.Disposable {
  private run: DiagnosisRun | undefined;
  private state: PanelState | undefined;
  private storedKey: string | undefined;
  /** Of the last run that ended with one, and where it is stored. */
  private last: { report: Report; key: string | undefined } | undefined;
  private panel: DiagnosisPanel | undefined;

  constructor(
    private checkpoint: Checkpoint,
    private readonly services: DiagnosisServices,
  ) {}

  get name(): string {
    return this.checkpoint.name;
  }

  get report(): Report | undefined {
    return this.state?.report;
  }

  /** The column of the panel while it can be seen. */
  get visibleColumn(): vscode.ViewColumn | undefined {
    return this.panel?.isVisible === true ? this.panel.column : undefined;
  }

  /** Of the report on show, where it is stored. */
  get reportKey(): string | undefined {
    return this.storedKey;
  }

  get isMeasuring(): boolean {
    return this.run !== undefined && (this.state === undefined || this.state.phase === "running");
  }

  get isRunning(): boolean {
    return this.run !== undefined;
  }

  /**
   * Shows what an unchanged checkpoint was measured at before, or measures; a run of the same
   * checkpoint that is still under way is cancelled.
   */
  async start({
    checkpoint = this.checkpoint,
    isAnew = false,
    isBackground = false,
    signal,
  }: StartOptions = {}): Promise<Report | undefined> {
    if (signal?.aborted === true) return undefined;
    const { log, readings, turnstile, startEngine, memory } = this.services;
    const request = readings.requestFor(checkpoint.path);
    this.checkpoint = checkpoint;
    this.run?.cancel();
    log.info(`Diagnosing ${checkpoint.path}.`);
    log.debug(JSON.stringify(request));

    const shown = new ShownProgress({
      name: this.name,
      isBackground,
      cancel: () => {
        run.cancel();
      },
      show: () => {
        this.show();
      },
    });
    const observer: RunObserver = {
      // What a replaced run still says is of no interest.
      state: (state, reportKey) => {
        if (this.run === run) this.showState(state, reportKey);
      },
      progress: (progress, waitingFor) => {
        shown.tell(progress, waitingFor);
        log.trace(progressText(progress, waitingFor));
      },
      notice: (text) => {
        log.warn(text);
      },
    };
    const run: DiagnosisRun = new DiagnosisRun(
      this.name,
      request,
      startEngine,
      turnstile,
      observer,
      (signal) => memory.recall(request, signal, isAnew),
    );
    this.run = run;
    this.show();
    const cancel = (): void => {
      run.cancel();
    };
    signal?.addEventListener("abort", cancel, { once: true });
    const outcome = await run.run();
    signal?.removeEventListener("abort", cancel);
    shown.close();
    if (this.run !== run) return undefined;
    this.run = undefined;
    this.tell(outcome, isBackground);
    void this.services.guard.run("choose the reading", () => readings.ended(checkpoint, outcome));
    return outcome.ok ? outcome.report : undefined;
  }

  /** Opens the panel, or brings it to the front. */
  show(): void {
    if (this.panel === undefined) {
      this.adopt(createPanel(this.name, this.services.panelColumn()));
    } else {
      this.panel.reveal();
    }
    this.services.becameCurrent(this);
  }

  highlight(layer: number | undefined): void {
    this.panel?.highlight(layer);
  }

  /** Opens the panel at a norm of the report on show. */
  showAt(norm: NormSummary): void {
    this.show();
    this.panel?.goToNorm(norm);
  }

  /** Shows a report that was stored; without one, says that there is none and offers to run. */
  showStored(stored: StoredReport | undefined): void {
    const { name } = this;
    if (stored === undefined) {
      this.showState({ phase: "empty", name, reason: nothingStored(), canRun: true, notices: [] });
      return;
    }
    const { key, savedAt, report } = stored;
    const origin = { kind: "stored", savedAt, isUnchanged: false } as const;
    this.showState({ phase: "done", name, report, notices: [], origin }, key);
  }

  /** Makes `panel` the one that this diagnosis is shown in. */
  adopt(panel: vscode.WebviewPanel): void {
    const { extensionUri, guard } = this.services;
    this.panel?.dispose();
    this.panel = new DiagnosisPanel(panel, extensionUri, guard, {
      received: (message) => {
        switch (message.type) {
          case "cancel":
            this.run?.cancel();
            return undefined;
          case "finish":
            this.run?.finish();
            return undefined;
          case "runAgain":
            return this.start({ isAnew: true });
          case "chooseTokens":
            openSetting("tokensFile");
            return undefined;
          case "export":
            return this.export(message.format);
          case "layer":
            this.services.choseLayer(message.layer);
            return undefined;
        }
      },
      closed: () => {
        this.panel = undefined;
      },
      becameActive: () => {
        this.services.becameCurrent(this);
      },
    });
    this.sendState();
  }

  /** Exports the report, or as much of one as there is. */
  async export(format?: ExportFormat): Promise<void> {
    const { exporter } = this.services;
    const { name, report } = this;
    if (report === undefined) {
      throw new Error(vscode.l10n.t("nothing of {0} has been measured yet.", name));
    }
    const chosen = format ?? (await exporter.pickFormat());
    if (chosen === undefined) return;
    const png = (): Promise<Uint8Array> => {
      if (this.panel === undefined) this.show();
      return this.panel?.png() ?? Promise.reject(new Error(vscode.l10n.t("the panel was closed.")));
    };
    await exporter.export({ name, report, png }, chosen);
  }

  dispose(): void {
    this.run?.cancel();
    this.panel?.dispose();
  }

  private showState(state: PanelState, reportKey?: string): void {
    if (state.phase === "done") this.last = { report: state.report, key: reportKey };
    this.state = withEarlier(state, this.last?.report);
    const isEarlier = this.state.phase === "failed" && this.state.isEarlier === true;
    this.storedKey = isEarlier ? this.last?.key : reportKey;
    this.sendState();
    if (this.state.report !== undefined) this.services.becameCurrent(this);
  }

  private sendState(): void {
    const { state, reportKey, checkpoint } = this;
    if (state === undefined) return;
    const source = { checkpoint: checkpoint.path, ...(reportKey !== undefined && { reportKey }) };
    this.panel?.show(state, source);
  }

  private tell(outcome: Outcome, isBackground: boolean): void {
    const { log } = this.services;
    if (this.state?.phase === "done" && this.state.origin?.kind === "stored") {
      log.info(`${this.name} has not changed since ${this.state.origin.savedAt}: report shown.`);
    } else if (outcome.ok) {
      log.info(`The diagnosis of ${this.name} is done.`);
      if (this.panel?.isVisible !== true) this.offerReport();
    } else if (outcome.failure.reason === "interrupted") {
      log.info(`The diagnosis of ${this.name} was cancelled.`);
    } else {
      log.error(`The diagnosis of ${this.name} failed: ${outcome.failure.message}`);
      // Which reading is meant is asked instead.
      if (outcome.failure.readings !== undefined) return;
      // The panel says what is wrong with a checkpoint, and there it does not pass.
      const isTold = isOfCheckpoint(outcome.failure) && this.panel?.isVisible === true;
      if (isTold) return;
      if (isBackground) this.tellOfFailure(outcome.failure);
      else this.offerToRunAgain(outcome.failure);
    }
  }

  private offerReport(): void {
    this.services.told.tell({
      text: `$(check) ${vscode.l10n.t("Fathom: {0} is measured", this.name)}`,
      tooltip: vscode.l10n.t("The diagnosis of {0} is done. Click to see the report.", this.name),
      follow: () => {
        this.show();
      },
    });
  }

  private tellOfFailure({ message }: Failure): void {
    this.services.told.tell({
      text: `$(error) ${vscode.l10n.t("Fathom: {0} failed", this.name)}`,
      tooltip: vscode.l10n.t("The diagnosis of {0} failed. {1}", this.name, message),
      follow: () => {
        this.show();
      },
    });
  }

  private offerToRunAgain(failure: Failure): void {
    const [runAgain, showLog] = [vscode.l10n.t("Run Again"), vscode.l10n.t("Show Log")];
    const openSettings = vscode.l10n.t("Open Settings");
    // The first is the one that is offered most; a checkpoint seldom becomes readable by itself.
    const usual = failure.reason === "checkpoint" ? [showLog, runAgain] : [runAgain, showLog];
    const offers = failure.lacks === undefined ? usual : [openSettings, showLog];
    void vscode.window
      .showErrorMessage(
        vscode.l10n.t("The diagnosis of {0} failed. {1}", this.name, failure.message),
        ...offers,
      )
      .then((choice) => {
        if (choice === openSettings) openSetting("tokensFile");
        if (choice === showLog) this.services.log.show();
        if (choice === runAgain) {
          void this.services.guard.run("run the diagnosis again", () =>
            this.start({ isAnew: true }),
          );
        }
      });
  }
}

/** What no second run mends: a person has to change something first, and the panel says what. */
function isOfCheckpoint({ reason, lacks }: Failure): boolean {
  return reason === "checkpoint" || lacks !== undefined;
}

function nothingStored(): string {
  return vscode.l10n.t(
    "No finished report of this checkpoint was stored before the window was closed or reloaded.",
  );
}
