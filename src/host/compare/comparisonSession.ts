/**
 * One comparison as its reports come in: those at hand at once, the others one after another. Knows
 * nothing of the editor.
 */
import { lineOf } from "../../checkpoint/errors";
import type { Report } from "../../diagnosis/report";
import type { Progress } from "../../protocol/messages";
import type { ComparedReport, ComparisonStatus, Standing } from "../../protocol/comparison";
import { progressText } from "../../report/progress";
import type { NamedReport } from "../../report/comparison";
import { ReportFailure, type ReportObserver } from "../reportSource";

/** One of what is compared, and how its report is found. */
export interface ComparisonMember {
  name: string;
  /** The report that is at hand; undefined where one would have to be measured. */
  stored(signal: AbortSignal): Promise<Report | undefined>;
  /** Absent where nothing can be measured: a file, or a kept report. */
  measured?(signal: AbortSignal, observer: ReportObserver): Promise<Report>;
}

export interface ComparisonObserver {
  /** The report of one member came, or went because its checkpoint did. */
  report(place: number, report: Report | undefined, status: ComparisonStatus): void;
  status(status: ComparisonStatus): void;
}

/** Hears how far the diagnosis of one member is; `waitingFor` names one that has to end first. */
export type MeasuringObserver = (place: number, progress?: Progress, waitingFor?: string) => void;

export class ComparisonSession {
  private readonly reports: (Report | undefined)[];
  private readonly standings: Standing[];
  private readonly observers = new Set<ComparisonObserver>();
  private cancelled = new AbortController();
  private gathering: Promise<void> | undefined;
  /** The gathering under way measures what it does not find. */
  private isMeasuring = false;
  private fraction = 0;

  constructor(private readonly members: readonly ComparisonMember[]) {
    this.reports = members.map(() => undefined);
    this.standings = members.map(() => ({ kind: "missing" }));
  }

  get compared(): ComparedReport[] {
    return this.members.map(({ name }, place) => {
      const report = this.reports[place];
      return { name, ...(report ? { report } : {}) };
    });
  }

  /** Those that are there, in the order of the members. */
  get ready(): (NamedReport & { place: number })[] {
    return this.compared.flatMap(({ name, report }, place) =>
      report ? [{ place, name, report }] : [],
    );
  }

  get status(): ComparisonStatus {
    return {
      phase: this.gathering ? "running" : this.cancelled.signal.aborted ? "cancelled" : "done",
      fraction: (this.ready.length + this.fraction) / this.members.length,
      standings: [...this.standings],
    };
  }

  /** @returns a function that ends it */
  observe(observer: ComparisonObserver): () => void {
    this.observers.add(observer);
    return () => this.observers.delete(observer);
  }

  /**
   * Finds what is at hand, anew where there is a report already, and measures the rest if asked to.
   * One call at a time does the work.
   *
   * @param tell which of the members is being measured, and how far that is, once it is known
   */
  gather(measures: boolean, tell?: MeasuringObserver): Promise<void> {
    if (this.gathering) {
      // What only looks for reports, as after a reload, must not swallow a wish to measure.
      if (!measures || this.isMeasuring) return this.gathering;
      const { signal } = this.cancelled;
      return this.gathering.then(() => (signal.aborted ? undefined : this.gather(true, tell)));
    }
    this.isMeasuring = measures;
    this.cancelled = new AbortController();
    this.gathering = this.gatherAll(measures, this.cancelled.signal, tell).finally(() => {
      this.gathering = undefined;
      this.fraction = 0;
      this.standings.forEach(({ kind }, place) => {
        if (kind === "waiting" || kind === "measuring") this.settle(place, { kind: "missing" });
      });
      this.tellStatus();
    });
    this.tellStatus();
    return this.gathering;
  }

  /** Stops the diagnosis under way; the reports that are there stay. */
  cancel(): void {
    this.cancelled.abort();
  }

  private async gatherAll(
    measures: boolean,
    signal: AbortSignal,
    tell?: MeasuringObserver,
  ): Promise<void> {
    this.reports.forEach((report, place) => {
      if (!report) this.settle(place, { kind: "waiting" });
    });
    const wanting: number[] = [];
    for (const [place, member] of this.members.entries()) {
      if (signal.aborted) return;
      const isFound = await this.attempt(place, signal, () => member.stored(signal));
      if (!isFound && this.standings[place]?.kind !== "failed") wanting.push(place);
    }
    if (!measures) return;
    for (const place of wanting) {
      if (signal.aborted) return;
      await this.measure(place, signal, tell);
    }
  }

  private async measure(
    place: number,
    signal: AbortSignal,
    tell?: MeasuringObserver,
  ): Promise<void> {
    const member = this.members[place]!;
    const say = (progress?: Progress, waitingFor?: string): void => {
      tell?.(place, progress, waitingFor);
      const doing = progress === undefined ? "" : progressText(progress, waitingFor);
      // What changed on disk is measured anew behind the report of before.
      if (!this.reports[place]) this.settle(place, { kind: "measuring", doing });
      this.tellStatus();
    };
    say();
    await this.attempt(place, signal, async () =>
      member.measured?.(signal, {
        progress: (progress, waitingFor) => {
          this.fraction = progress.fraction;
          say(progress, waitingFor);
        },
      }),
    );
    this.fraction = 0;
  }

  /** @returns whether there is a report now */
  private async attempt(
    place: number,
    signal: AbortSignal,
    find: () => Promise<Report | undefined>,
  ): Promise<boolean> {
    try {
      const report = await find();
      if (!report) return false;
      this.fraction = 0;
      this.setReport(place, report, { kind: "ready" });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const reason = error instanceof ReportFailure ? error.message : lineOf(error);
      this.setReport(place, undefined, { kind: "failed", reason });
      return false;
    }
  }

  private setReport(place: number, report: Report | undefined, standing: Standing): void {
    this.reports[place] = report;
    this.settle(place, standing);
    for (const observer of this.observers) observer.report(place, report, this.status);
  }

  private settle(place: number, standing: Standing): void {
    this.standings[place] = standing;
  }

  private tellStatus(): void {
    for (const observer of this.observers) observer.status(this.status);
  }
}
