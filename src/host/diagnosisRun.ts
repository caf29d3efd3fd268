/**
 * One diagnosis from its request to its end, as the states that a panel shows. Knows the engine
 * only through the function that starts it, and nothing of the editor.
 */
import type { EngineRun, Outcome } from "../engineClient";
import type { Report } from "../diagnosis/report";
import type { DiagnosisRequest, EngineEvent, PanelState, Progress } from "../protocol/messages";
import type { Turnstile } from "./turnstile";

export type StartEngine = (
  request: DiagnosisRequest,
  onEvent: (event: EngineEvent) => void,
) => EngineRun;

export interface RunObserver {
  state(state: PanelState): void;
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
  ) {}

  /** Runs to the end; every failure is an outcome, never a rejection. */
  async run(): Promise<Outcome> {
    const outcome = await this.takeTurn();
    const { name, notices } = this;
    if (outcome.ok) {
      this.observer.state({ phase: "done", name, report: outcome.report, notices });
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

  private async takeTurn(): Promise<Outcome> {
    const { ahead } = this.turnstile;
    // The run that this one replaces is being killed already.
    const waitingFor = ahead === this.name ? undefined : ahead;
    this.observer.progress(this.progress, waitingFor);
    this.show(
      waitingFor === undefined ? [] : [`Waiting for the diagnosis of ${waitingFor} to end.`],
    );
    let leave: () => void;
    try {
      leave = await this.turnstile.enter(this.name, this.cancelled.signal);
    } catch {
      return interrupted;
    }
    try {
      this.observer.progress(this.progress);
      this.show();
      this.engine = this.startEngine(this.request, (event) => {
        this.receive(event);
      });
      if (this.finishAsked) this.engine.finish();
      return await this.engine.outcome;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, failure: { reason: "run", message } };
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

const interrupted: Outcome = {
  ok: false,
  failure: { reason: "interrupted", message: "The diagnosis was cancelled." },
};

/** What a failed run shows: its own partial report, unless an earlier run left a better one. */
export function withEarlier(state: PanelState, earlier: Report | undefined): PanelState {
  if (state.phase !== "failed" || earlier === undefined) return state;
  const { documents, plannedDocuments } = earlier.evaluation;
  const isBetter = documents === plannedDocuments || state.report === undefined;
  return isBetter ? { ...state, report: earlier, isEarlier: true } : state;
}

/** What a partial report gives as the reason while the run goes on. */
const pending = "not measured yet";

/** The last report of a run that goes on no more: nothing in it is still to come. */
function endedReport(report: Report): Report {
  const layers = report.layers.map((layer) => ({
    ...layer,
    ...(layer.unmeasured && {
      unmeasured: layer.unmeasured.map(({ metric, reason }) => ({
        metric,
        reason: reason === pending ? "not measured before the run ended" : reason,
      })),
    }),
  }));
  return { ...report, layers };
}
