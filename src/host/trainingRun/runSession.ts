/**
 * One training run as it is measured: its steps one after the other, and what came of each. Knows
 * nothing of the editor.
 */
import path from "node:path";
import { lineOf } from "../../checkpoint/errors";
import type { Report } from "../../diagnosis/report";
import type { RunStatus } from "../../protocol/messages";
import { withoutDocuments } from "../../report/withoutDocuments";
import { stepsIn, type RunStep, type TrainingRun } from "../../trainingRun/discover";
import type { RunReport, RunStepReport } from "../../trainingRun/runReport";
import type { Checkpoint } from "../checkpoint";
import type { Reader } from "../reading/reader";
import { ReportFailure, type ReportSource } from "../reportSource";

export interface RunObserver {
  /** Steps or losses are others than before. */
  run(run: RunReport, status: RunStatus): void;
  step(step: RunStepReport, status: RunStatus): void;
  status(status: RunStatus): void;
  /** A whole report has come, from the store or from a diagnosis. */
  measured?(step: RunStepReport): void;
}

export class RunSession {
  private readonly observers = new Set<RunObserver>();
  private readonly places = new Map<number, RunStep>();
  private readonly notices: string[] = [];
  private report: RunReport;
  private cancelled = new AbortController();
  private readonly disposed = new AbortController();
  private recalling: Promise<void> | undefined;
  private measuring: Promise<void> | undefined;
  private current: (Pick<RunStatus, "progress" | "waitingFor"> & { step: number }) | undefined;
  private watching = false;
  /** Steps that are to be measured, and those of them that come first. */
  private readonly wanted = new Set<number>();
  private readonly urgent = new Set<number>();

  constructor(
    run: TrainingRun,
    private readonly source: ReportSource,
    private readonly checkpointAt: (file: string) => Checkpoint,
    private readonly reader: Pick<Reader, "incompleteness" | "readLossLogs">,
  ) {
    for (const step of run.steps) this.places.set(step.step, step);
    this.report = {
      schemaVersion: 1,
      folder: run.folder,
      steps: run.steps.map(({ step, name }) => ({ step, name })),
      losses: [],
      problems: [],
    };
  }

  get folder(): string {
    return this.report.folder;
  }

  get name(): string {
    return path.basename(this.folder);
  }

  get run(): RunReport {
    return this.report;
  }

  get status(): RunStatus {
    const { steps } = this.report;
    const { step: measuring, ...doing } = this.current ?? {};
    const finished = steps.filter(isFinished).length;
    const missing = steps.filter((step) => !isFinished(step));
    return {
      phase: this.measuring ? "running" : this.cancelled.signal.aborted ? "cancelled" : "done",
      finished,
      planned: finished + missing.filter(({ step }) => this.wanted.has(step)).length,
      missing: missing.length,
      ...(measuring !== undefined && { measuring }),
      ...doing,
      isWatching: this.watching,
      notices: this.notices,
    };
  }

  /** @returns a function that ends it */
  observe(observer: RunObserver): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /** Measures all that has no report, in the order of training. */
  measure(): Promise<void> {
    for (const { step } of this.report.steps) this.wanted.add(step);
    return this.measureWanted();
  }

  /** Shows what there is of the steps without a report, and measures nothing. */
  recall(): Promise<void> {
    this.recalling ??= this.recallAll().finally(() => {
      this.recalling = undefined;
    });
    return this.recalling;
  }

  /** Measures a step before all others that wait. */
  measureFirst(step: number): Promise<void> {
    // What was cancelled stays so.
    if (this.cancelled.signal.aborted) this.wanted.clear();
    this.wanted.add(step);
    this.urgent.add(step);
    return this.measureWanted();
  }

  /** Stops the diagnosis under way; what has been measured is kept. */
  cancel(): void {
    this.cancelled.abort();
  }

  /** Looks for steps that came since, and reads the losses anew. A step that failed is tried again. */
  async refresh(): Promise<void> {
    const known = new Map(this.report.steps.map((step) => [step.step, step]));
    for (const found of await stepsIn(this.folder)) this.places.set(found.step, found);
    const steps = [...this.places.values()]
      .sort((a, b) => a.step - b.step)
      .map(({ step, name }): RunStepReport => {
        const before = known.get(step);
        return before && isMeasured(before) ? before : { step, name };
      });
    this.report = { ...this.report, steps };
    await this.readLosses();
  }

  hasReport(step: number): boolean {
    return this.report.steps.some((one) => one.step === step && isMeasured(one));
  }

  hasFailed(step: number): boolean {
    return this.report.steps.some((one) => one.step === step && one.failure !== undefined);
  }

  /** The steps whose checkpoints lack nothing at this moment. */
  async completeSteps(): Promise<Set<number>> {
    const complete = new Set<number>();
    for (const { step, path: place } of await stepsIn(this.folder)) {
      if ((await this.reader.incompleteness(place)) === undefined) complete.add(step);
    }
    return complete;
  }

  /** A new step that is known to be complete, and the losses that came with it. */
  async add(step: RunStep): Promise<void> {
    this.places.set(step.step, step);
    const others = this.report.steps.filter((one) => one.step !== step.step);
    const steps = [...others, { step: step.step, name: step.name }];
    this.report = { ...this.report, steps: steps.sort((a, b) => a.step - b.step) };
    await this.readLosses();
  }

  async readLosses(): Promise<void> {
    const steps = [...this.places.values()].sort((a, b) => a.step - b.step);
    const { series, problems } = await this.reader.readLossLogs({
      folder: this.folder,
      steps,
    });
    this.report = { ...this.report, losses: series, problems };
    for (const observer of this.observers) observer.run(this.report, this.status);
  }

  /** Ends all that goes on. */
  dispose(): void {
    this.cancel();
    this.disposed.abort();
  }

  setWatching(isWatching: boolean): void {
    this.watching = isWatching;
    this.tellStatus();
  }

  notice(text: string): void {
    if (this.notices.includes(text)) return;
    this.notices.push(text);
    this.tellStatus();
  }

  /**
   * One call at a time does the work; it takes on what is wanted meanwhile. One that was cancelled
   * takes on nothing any more: what is wanted from then on is measured once it has ended.
   */
  private measureWanted(): Promise<void> {
    if (this.disposed.signal.aborted) return Promise.resolve();
    if (this.measuring && !this.cancelled.signal.aborted) return this.measuring;
    this.cancelled = new AbortController();
    const measuring = this.measureAfter(this.measuring, this.cancelled.signal).finally(() => {
      if (this.measuring !== measuring) return;
      this.measuring = undefined;
      this.current = undefined;
      this.tellStatus();
    });
    this.measuring = measuring;
    return measuring;
  }

  private async measureAfter(
    before: Promise<void> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    // What failed there is told to whoever asked for it.
    await before?.catch(() => undefined);
    await this.measureAll(signal);
  }

  private async recallAll(): Promise<void> {
    const { signal } = this.disposed;
    for (const { step, name } of this.report.steps.filter((one) => !isMeasured(one))) {
      const place = this.places.get(step);
      if (!place) continue;
      // A step that cannot be read says so once it is measured.
      const report = await this.source
        .stored(this.checkpointAt(place.path), signal)
        .catch(() => undefined);
      if (signal.aborted) return;
      const isMissing = this.report.steps.some((one) => one.step === step && !isMeasured(one));
      if (report && isMissing) this.setStep({ step, name, report: withoutDocuments(report) });
    }
  }

  private async measureAll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waiting = this.report.steps.filter(
        (one) => this.wanted.has(one.step) && !isFinished(one),
      );
      const next = waiting.find(({ step }) => this.urgent.has(step)) ?? waiting[0];
      const place = next && this.places.get(next.step);
      if (!place) return;
      await this.measureStep(place, signal);
    }
  }

  private async measureStep(place: RunStep, signal: AbortSignal): Promise<void> {
    const { step, name } = place;
    this.current = { step };
    this.tellStatus();
    let report: Report;
    try {
      report = await this.source.reportOf(this.checkpointAt(place.path), signal, {
        progress: (progress, waitingFor) => {
          this.current = { step, progress, ...(waitingFor !== undefined && { waitingFor }) };
          this.tellStatus();
        },
        partial: (partial) => {
          this.setStep({ step, name, report: withoutDocuments(partial), isPartial: true });
        },
        notice: (text) => {
          this.notice(`${name}: ${text}`);
        },
      });
    } catch (error) {
      // What there was of a cancelled step rests on fewer documents than its neighbours.
      if (signal.aborted) this.setStep({ step, name });
      else {
        const failure = error instanceof ReportFailure ? error.message : lineOf(error);
        this.setStep({ step, name, failure });
      }
      return;
    }
    // What an observer throws is no failure of the step.
    this.setStep({ step, name, report: withoutDocuments(report) });
    for (const observer of this.observers) observer.measured?.({ step, name, report });
  }

  private setStep(step: RunStepReport): void {
    const steps = this.report.steps.map((one) => (one.step === step.step ? step : one));
    this.report = { ...this.report, steps };
    for (const observer of this.observers) observer.step(step, this.status);
  }

  private tellStatus(): void {
    for (const observer of this.observers) observer.status(this.status);
  }
}

export function isMeasured(step: RunStepReport): boolean {
  return step.report !== undefined && step.isPartial !== true;
}

/** Measured, or tried in vain. */
function isFinished(step: RunStepReport): boolean {
  return isMeasured(step) || step.failure !== undefined;
}
