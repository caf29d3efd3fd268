/**
 * Where the views of several checkpoints, runs and comparisons, get their reports: one that is at
 * hand, else a diagnosis now. Knows nothing of the editor.
 */
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";
import type { DiagnosisRequest, Failure, Progress } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import { DiagnosisRun, type StartEngine } from "./diagnosisRun";
import type { ReportMemory } from "./reports/reportMemory";
import type { Turnstile } from "./turnstile";

export interface ReportSource {
  /**
   * The report of a checkpoint if there is one at hand that holds for it still; nothing is measured.
   *
   * @throws the reason of `signal` when it aborts
   */
  stored(checkpoint: Checkpoint, signal: AbortSignal): Promise<Report | undefined>;

  /**
   * The report of a checkpoint under the settings that hold for it.
   *
   * @param signal cancels a diagnosis that is under way
   * @throws {ReportFailure} when there can be none; its reason is `interrupted` after a cancel
   */
  reportOf(checkpoint: Checkpoint, signal: AbortSignal, observer?: ReportObserver): Promise<Report>;
}

/** Hears of a diagnosis while it goes on; nothing when the report was at hand. */
export interface ReportObserver {
  /** `waitingFor` names the diagnosis that has to end first. */
  progress?: (progress: Progress, waitingFor?: string) => void;
  /** A whole report of what has been measured so far. */
  partial?: (report: Report) => void;
  notice?: (text: string) => void;
}

export class ReportFailure extends Error {
  override readonly name = "ReportFailure";

  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** Diagnoses what the store of reports does not know, or knows as it was before it changed. */
export class DiagnosedReports implements ReportSource {
  constructor(
    private readonly services: {
      requestFor: (checkpoint: string) => DiagnosisRequest;
      startEngine: StartEngine;
      turnstile: Turnstile;
      memory: Pick<ReportMemory, "recall">;
    },
  ) {}

  async stored(checkpoint: Checkpoint, signal: AbortSignal): Promise<Report | undefined> {
    const { requestFor, memory } = this.services;
    return (await memory.recall(requestFor(checkpoint.path), signal)).stored?.report;
  }

  async reportOf(
    checkpoint: Checkpoint,
    signal: AbortSignal,
    observer: ReportObserver = {},
  ): Promise<Report> {
    const { requestFor, startEngine, turnstile, memory } = this.services;
    const request = requestFor(checkpoint.path);
    if (signal.aborted) throw new ReportFailure(interrupted());
    const run = new DiagnosisRun(
      checkpoint.name,
      request,
      startEngine,
      turnstile,
      {
        state: (state) => {
          if (state.phase === "running" && state.report) observer.partial?.(state.report);
        },
        progress: (progress, waitingFor) => observer.progress?.(progress, waitingFor),
        notice: (text) => observer.notice?.(text),
      },
      (recallSignal) => memory.recall(request, recallSignal),
    );
    const cancel = (): void => {
      run.cancel();
    };
    signal.addEventListener("abort", cancel, { once: true });
    const outcome = await run.run();
    signal.removeEventListener("abort", cancel);
    if (!outcome.ok) throw new ReportFailure(outcome.failure);
    return outcome.report;
  }
}

function interrupted(): Failure {
  return { reason: "interrupted", message: t("The diagnosis was cancelled.") };
}
