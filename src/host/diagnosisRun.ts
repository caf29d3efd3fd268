/**
 * One diagnosis from its request to its end, as the states that a panel shows. Knows the engine
 * only through the function that starts it, and nothing of the editor.
 */
import { t } from "@vscode/l10n";
import { messageOf } from "../checkpoint/errors";
import type { EngineRun, Outcome } from "../engineClient";
import type { Report } from "../diagnosis/report";
import type { DiagnosisRequest, EngineEvent, PanelState, Progress } from "../protocol/messages";
import type { Recalled, StoredReport } from "./reports/reportMemory";
import type { Turnstile } from "./turnstile";

export type StartEngine = (
  request: DiagnosisRequest,
  onEvent: (event: EngineEvent) => void,
) => EngineRun;

export interface RunObserver {
  /** `reportKey` is that of the stored report which the state shows. */
  state(state: PanelState, reportKey?: string): void;
  /** `waitingFor` names the diagnosis that has to end first. */
  progress(progress: Progress, waitingFor?: string): void;
  notice(text: string): void;
}

export class DiagnosisRun {
  private readonly cancelled = new AbortController();
  private readonly notices: string[] = [];
  private progress: Progress = { stage: "opening", fraction: 0 };
  private report: Report | undefined;
  private engine: EngineRun | undefined;
  private finishAsked = false;

  constructor(
    private readonly name: string,
    private readonly request: DiagnosisRequest,
    private readonly startEngine: StartEngine,
    private readonly turnstile: Turnstile,
    private readonly observer: RunObserver,
    /** Finds what has been measured before; throws the signal's reason when that aborts. */
    private readonly recall: (signal: AbortSignal) => Promise<Recalled> = () => Promise.resolve({}),
  ) {}

  /** Runs to the end; every failure is an outcome, never a rejection. */
  async run(): Promise<Outcome> {
    const recalled = await this.lookBack();
    if (recalled.stored !== undefined) return this.showStored(recalled.stored);
    const outcome = await this.takeTurn(recalled);
    const { name, notices } = this;
    if (outcome.ok) {
      const key = await this.keep(outcome.report, recalled);
      this.observer.state({ phase: "done", name, report: outcome.report, notices }, key);
    } else {
      const partial = this.report === undefined ? {} : { report: endedReport(this.report) };
      this.observer.state({ phase: "failed", name, failure: outcome.failure, notices, ...partial });
    }
    return outcome;
  }

  /** Kills the engine, or leaves the line when the turn had not come. */
  cancel(): void {
    this.cancelled.abort();
    this.engine?.cancel();
  }

  /** Asks for an early end with what has been measured. */
  finish(): void {
    this.finishAsked = true;
    this.engine?.finish();
  }

  /** The diagnosis that has to end first. */
  private get waitingFor(): string | undefined {
    const { ahead } = this.turnstile;
    // The run that this one replaces is being killed already.
    return ahead === this.name ? undefined : ahead;
  }

  private async lookBack(): Promise<Recalled> {
    // A report that is found at once is shown at once, without the flash of a run.
    const timer = setTimeout(() => {
      this.observer.progress(this.progress, this.waitingFor);
      this.show();
    }, flashMs);
    try {
      return await this.recall(this.cancelled.signal);
    } catch {
      // Cancelled: the turnstile lets nobody in who has been.
      return {};
    } finally {
      clearTimeout(timer);
    }
  }

  private showStored({ key, savedAt, report }: StoredReport): Outcome {
    const { name } = this;
    const origin = { kind: "stored", savedAt, isUnchanged: true } as const;
    this.observer.state({ phase: "done", name, report, notices: [], origin }, key);
    return { ok: true, report };
  }

  /** @returns the key of the stored report; undefined where there was none to store */
  private async keep(report: Report, { keep }: Recalled): Promise<string | undefined> {
    const { documents, plannedDocuments } = report.evaluation;
    const isWhole = !this.finishAsked && documents === plannedDocuments;
    if (keep === undefined || !isWhole) return undefined;
    try {
      const kept = await keep(this.name, report);
      if ("key" in kept) return kept.key;
      this.observer.notice(kept.notice);
    } catch (error) {
      this.observer.notice(t("The report was not stored: {0}", messageOf(error)));
    }
    return undefined;
  }

  private async takeTurn({ fingerprint }: Recalled): Promise<Outcome> {
    const { waitingFor } = this;
    this.observer.progress(this.progress, waitingFor);
    this.show(
      waitingFor === undefined ? [] : [t("Waiting for the diagnosis of {0} to end.", waitingFor)],
    );
    let leave: () => void;
    try {
      leave = await this.turnstile.enter(this.name, this.cancelled.signal);
    } catch {
      return interrupted();
    }
    try {
      this.observer.progress(this.progress);
      this.show();
      const known = await fingerprint?.();
      if (this.cancelled.signal.aborted) return interrupted();
      const request = known === undefined ? this.request : { ...this.request, fingerprint: known };
      this.engine = this.startEngine(request, (event) => {
        this.receive(event);
      });
      if (this.finishAsked) this.engine.finish();
      return await this.engine.outcome;
    } catch (error) {
      return { ok: false, failure: { reason: "run", message: messageOf(error) } };
    } finally {
      leave();
    }
  }

  private receive(event: EngineEvent): void {
    switch (event.type) {
      case "progress":
        this.progress = event.progress;
        this.observer.progress(event.progress);
        this.show();
        return;
      case "notice":
        this.notices.push(event.text);
        this.observer.notice(event.text);
        this.show();
        return;
      case "report":
        this.report = event.report;
        this.show();
        return;
      case "finished":
      case "failed":
        // The outcome settles once the process has ended; it carries these.
        return;
    }
  }

  private show(passing: string[] = []): void {
    const { name, progress, report } = this;
    const partial = report === undefined ? {} : { report };
    const notices = [...this.notices, ...passing];
    this.observer.state({ phase: "running", name, progress, notices, ...partial });
  }
}

/** A search that ends within this time is not worth a word. */
const flashMs = 300;

function interrupted(): Outcome {
  return {
    ok: false,
    failure: { reason: "interrupted", message: t("The diagnosis was cancelled.") },
  };
}

/** What a failed run shows: its own partial report, unless an earlier run left a better one. */
export function withEarlier(state: PanelState, earlier: Report | undefined): PanelState {
  if (state.phase !== "failed" || earlier === undefined) return state;
  const { documents, plannedDocuments } = earlier.evaluation;
  const isBetter = documents === plannedDocuments || state.report === undefined;
  return isBetter ? { ...state, report: earlier, isEarlier: true } : state;
}

/** The last report of a run that goes on no more: nothing in it is still to come. */
function endedReport(report: Report): Report {
  // What a partial report gives as the reason while the run goes on.
  const pending = t("not measured yet");
  const layers = report.layers.map((layer) => ({
    ...layer,
    ...(layer.unmeasured && {
      unmeasured: layer.unmeasured.map(({ metric, reason }) => ({
        metric,
        reason: reason === pending ? t("not measured before the run ended") : reason,
      })),
    }),
  }));
  return { ...report, layers };
}
