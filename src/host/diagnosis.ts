/** One checkpoint as the editor sees it: its run, its panel, its progress and what went wrong. */
import * as vscode from "vscode";
import type { Outcome } from "../engineClient";
import type { Report } from "../diagnosis/report";
import type { ExportFormat, Failure, PanelState, Progress } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import { DiagnosisPanel } from "./diagnosisPanel";
import { DiagnosisRun, withEarlier, type StartEngine } from "./diagnosisRun";
import type { Guard } from "./guard";
import { progressText } from "../report/progress";
import type { ReportExporter } from "./reportExporter";
import { requestFor } from "./settings";
import type { Turnstile } from "./turnstile";

/** What all diagnoses share. */
export interface DiagnosisServices {
  extensionUri: vscode.Uri;
  log: vscode.LogOutputChannel;
  guard: Guard;
  exporter: ReportExporter;
  turnstile: Turnstile;
  startEngine: StartEngine;
  /** The editor column for a new panel. */
  panelColumn(): vscode.ViewColumn;
  /** The diagnosis that commands without an argument speak of is now this one. */
  becameCurrent(diagnosis: Diagnosis): void;
}

export class Diagnosis implements vscode.Disposable {
  private run: DiagnosisRun | undefined;
  private state: PanelState | undefined;
  /** Of the last run that ended with one. */
  private lastReport: Report | undefined;
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

  /**
   * Measures anew; a run of the same checkpoint that is still under way is cancelled.
   *
   * @param checkpoint the same checkpoint, perhaps pointed at by another of its files
   */
  async start(checkpoint: Checkpoint = this.checkpoint): Promise<Report | undefined> {
    const { log, extensionUri, turnstile, startEngine } = this.services;
    const request = requestFor(checkpoint.path, extensionUri);
    this.checkpoint = checkpoint;
    this.run?.cancel();
    log.info(`Diagnosing ${checkpoint.path}.`);
    log.debug(JSON.stringify(request));

    const notification = new ProgressNotification(this.name);
    const run: DiagnosisRun = new DiagnosisRun(this.name, request, startEngine, turnstile, {
      // What a replaced run still says is of no interest.
      state: (state) => {
        if (this.run === run) this.showState(state);
      },
      progress: (progress, waitingFor) => {
        notification.show(progress, waitingFor);
        log.trace(progressText(progress, waitingFor));
      },
      notice: (text) => {
        log.warn(text);
      },
    });
    this.run = run;
    this.show();
    notification.open(() => {
      run.cancel();
    });
    const outcome = await run.run();
    notification.close();
    if (this.run !== run) return undefined;
    this.run = undefined;
    this.tell(outcome);
    return outcome.ok ? outcome.report : undefined;
  }

  /** Opens the panel, or brings it to the front. */
  show(): void {
    if (this.panel === undefined) {
      const { extensionUri, guard } = this.services;
      const column = this.services.panelColumn();
      this.panel = new DiagnosisPanel(this.name, column, extensionUri, guard, {
        received: (message) => {
          switch (message.type) {
            case "cancel":
              this.run?.cancel();
              return undefined;
            case "finish":
              this.run?.finish();
              return undefined;
            case "runAgain":
              return this.start();
            case "export":
              return this.export(message.format);
          }
        },
        closed: () => {
          this.panel = undefined;
        },
        becameActive: () => {
          this.services.becameCurrent(this);
        },
      });
    } else {
      this.panel.reveal();
    }
    if (this.state !== undefined) this.panel.show(this.state);
    this.services.becameCurrent(this);
  }

  /** Exports the report, or as much of one as there is. */
  async export(format?: ExportFormat): Promise<void> {
    const { exporter } = this.services;
    const { name, report } = this;
    if (report === undefined) {
      throw new Error(`nothing of ${name} has been measured yet.`);
    }
    const chosen = format ?? (await exporter.pickFormat());
    if (chosen === undefined) return;
    const png = (): Promise<Uint8Array> => {
      if (this.panel === undefined) this.show();
      return this.panel?.png() ?? Promise.reject(new Error("the panel was closed."));
    };
    await exporter.export({ name, report, png }, chosen);
  }

  dispose(): void {
    this.run?.cancel();
    this.panel?.dispose();
  }

  private showState(state: PanelState): void {
    if (state.phase === "done") this.lastReport = state.report;
    this.state = withEarlier(state, this.lastReport);
    this.panel?.show(this.state);
    if (this.state.report !== undefined) this.services.becameCurrent(this);
  }

  private tell(outcome: Outcome): void {
    const { log } = this.services;
    if (outcome.ok) {
      log.info(`The diagnosis of ${this.name} is done.`);
      if (this.panel?.isVisible !== true) this.offerReport();
    } else if (outcome.failure.reason === "interrupted") {
      log.info(`The diagnosis of ${this.name} was cancelled.`);
    } else {
      log.error(`The diagnosis of ${this.name} failed: ${outcome.failure.message}`);
      // The panel says what is wrong with a checkpoint, and there it does not pass.
      const isTold = outcome.failure.reason === "checkpoint" && this.panel?.isVisible === true;
      if (!isTold) this.offerToRunAgain(outcome.failure);
    }
  }

  private offerReport(): void {
    const showReport = "Show Report";
    void vscode.window
      .showInformationMessage(`The diagnosis of ${this.name} is done.`, showReport)
      .then((choice) => {
        if (choice === showReport) this.show();
      });
  }

  private offerToRunAgain({ reason, message }: Failure): void {
    const [runAgain, showLog] = ["Run Again", "Show Log"];
    // The first is the one that is offered most; a checkpoint seldom becomes readable by itself.
    const offers = reason === "checkpoint" ? [showLog, runAgain] : [runAgain, showLog];
    void vscode.window
      .showErrorMessage(`The diagnosis of ${this.name} failed. ${message}`, ...offers)
      .then((choice) => {
        if (choice === showLog) this.services.log.show();
        if (choice === runAgain) {
          void this.services.guard.run("run the diagnosis again", () => this.start());
        }
      });
  }
}

/** A progress notification that is fed from outside and closed from outside. */
class ProgressNotification {
  private report: ((value: { message: string; increment: number }) => void) | undefined;
  private shownPercent = 0;
  private message = "";
  private percent = 0;
  private settle: (() => void) | undefined;

  constructor(private readonly name: string) {}

  open(onCancel: () => void): void {
    const closed = new Promise<void>((resolve) => {
      this.settle = resolve;
    });
    void vscode.window.withProgress(
      {
        location: vscode.ProgressLocation.Notification,
        title: `Depth of ${this.name}`,
        cancellable: true,
      },
      (progress, token) => {
        token.onCancellationRequested(onCancel);
        this.report = (value) => {
          progress.report(value);
        };
        this.refresh();
        return closed;
      },
    );
  }

  show(progress: Progress, waitingFor?: string): void {
    this.message = progressText(progress, waitingFor);
    this.percent = Math.max(this.percent, Math.min(100, progress.fraction * 100));
    this.refresh();
  }

  close(): void {
    this.settle?.();
  }

  private refresh(): void {
    this.report?.({ message: this.message, increment: this.percent - this.shownPercent });
    if (this.report !== undefined) this.shownPercent = this.percent;
  }
}
