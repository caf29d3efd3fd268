/** One checkpoint as the editor sees it: its run, its panel, its progress and what went wrong. */
import * as vscode from "vscode";
import type { Outcome } from "../engineClient";
import type { Report } from "../diagnosis/report";
import type { ExportFormat, Failure, PanelState } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import { DiagnosisPanel } from "./diagnosisPanel";
import { DiagnosisRun, type StartEngine } from "./diagnosisRun";
import type { Guard } from "./guard";
import { ProgressNotification } from "./progressNotification";
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

    const notification = new ProgressNotification(`Depth of ${this.name}`);
    const run: DiagnosisRun = new DiagnosisRun(this.name, request, startEngine, turnstile, {
      // What a replaced run still says is of no interest.
      state: (state) => {
        if (this.run === run) this.showState(state);
      },
      progress: (progress, waitingFor) => {
        notification.show(progressText(progress, waitingFor), progress.fraction);
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
    this.state = state;
    this.panel?.show(state);
    if (state.report !== undefined) this.services.becameCurrent(this);
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
      this.offerToRunAgain(outcome.failure);
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

  private offerToRunAgain({ message }: Failure): void {
    const [runAgain, showLog] = ["Run Again", "Show Log"];
    void vscode.window
      .showErrorMessage(`The diagnosis of ${this.name} failed. ${message}`, runAgain, showLog)
      .then((choice) => {
        if (choice === showLog) this.services.log.show();
        if (choice === runAgain) {
          void this.services.guard.run("run the diagnosis again", () => this.start());
        }
      });
  }
}
