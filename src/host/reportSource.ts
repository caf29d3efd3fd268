/**
 * Where the views of several checkpoints, runs and comparisons, get their reports: one that is at
 * hand, else a diagnosis now. Knows nothing of the editor.
 */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { Report } from "../diagnosis/report";
import type { DiagnosisRequest, Failure, Progress } from "../protocol/messages";
import type { Checkpoint } from "./checkpoint";
import { DiagnosisRun, type StartEngine } from "./diagnosisRun";
import type { Turnstile } from "./turnstile";

export interface ReportSource {
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

/** Reports kept for the window: the steps of a long run, or of a few short ones. */
const keptReports = 200;

/** Diagnoses, and remembers for as long as the window lives what came of files that are unchanged. */
export class DiagnosedReports implements ReportSource {
  private readonly known = new Map<string, Report>();

  constructor(
    private readonly services: {
      requestFor: (checkpoint: string) => DiagnosisRequest;
      startEngine: StartEngine;
      turnstile: Turnstile;
    },
  ) {}

  async reportOf(
    checkpoint: Checkpoint,
    signal: AbortSignal,
    observer: ReportObserver = {},
  ): Promise<Report> {
    const { requestFor, startEngine, turnstile } = this.services;
    const request = requestFor(checkpoint.path);
    const key = JSON.stringify([request, await filesOf(checkpoint.path)]);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (signal.aborted) throw new ReportFailure(interrupted);
    const run = new DiagnosisRun(checkpoint.name, request, startEngine, turnstile, {
      state: (state) => {
        if (state.phase === "running" && state.report) observer.partial?.(state.report);
      },
      progress: (progress, waitingFor) => observer.progress?.(progress, waitingFor),
      notice: (text) => observer.notice?.(text),
    });
    const cancel = (): void => {
      run.cancel();
    };
    signal.addEventListener("abort", cancel, { once: true });
    const outcome = await run.run();
    signal.removeEventListener("abort", cancel);
    if (!outcome.ok) throw new ReportFailure(outcome.failure);
    this.known.set(key, outcome.report);
    const oldest = this.known.size > keptReports ? this.known.keys().next().value : undefined;
    if (oldest !== undefined) this.known.delete(oldest);
    return outcome.report;
  }
}

const interrupted: Failure = { reason: "interrupted", message: "The diagnosis was cancelled." };

/** Names, sizes and times of the files that a report may rest on. */
async function filesOf(checkpoint: string): Promise<string[]> {
  const stats = await stat(checkpoint).catch(() => undefined);
  const folder = stats?.isDirectory() === true ? checkpoint : path.dirname(checkpoint);
  const names = (await readdir(folder).catch((): string[] => [])).sort();
  return Promise.all(
    names.map(async (name) => {
      const file = await stat(path.join(folder, name)).catch(() => undefined);
      return `${name} ${file?.size ?? 0} ${file?.mtimeMs ?? 0}`;
    }),
  );
}
