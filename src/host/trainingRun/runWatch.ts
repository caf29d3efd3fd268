/**
 * Waits for the checkpoints that training has yet to write, and hands on each once it is complete.
 * Looks by itself, again and again: on network file systems nothing tells of a new file.
 */
import { stepsIn, type RunStep } from "../../trainingRun/discover";
import { Settling, stampOf } from "../../trainingRun/settling";
import type { Reader } from "../reading/reader";

export interface RunWatchOptions {
  folder: string;
  /** How long nothing of a checkpoint may have changed. */
  settleMs: number;
  reader: Pick<Reader, "incompleteness">;
  /** True for a step that need not be handed on any more, unless its files change. */
  isKnown: (step: number) => boolean;
  /** True for a known step that is handed on again once its files have changed: one that failed. */
  isWorthAnother: (step: number) => boolean;
  onComplete: (step: RunStep) => unknown;
  /** A step that has settled and yet lacks something; told once for each state of its files. */
  onIncomplete: (step: RunStep, reason: string) => void;
  /** A look that failed; the next may not. */
  onProblem: (error: unknown) => void;
}

export class RunWatch {
  private readonly settling: Settling;
  /** What the files of each known step were when it was handed on, or first looked at. */
  private readonly knownStamps = new Map<number, string>();
  /** The files that were found incomplete. */
  private readonly incompleteStamps = new Map<number, string>();
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  constructor(private readonly options: RunWatchOptions) {
    this.settling = new Settling(options.settleMs);
  }

  start(): void {
    void this.lookAgain();
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  /** One look at the folder at a time of one's own reckoning. */
  async look(now: number): Promise<void> {
    const { folder, isKnown, isWorthAnother } = this.options;
    for (const step of await stepsIn(folder)) {
      if (this.hasStopped()) return;
      if (isKnown(step.step) && !isWorthAnother(step.step)) continue;
      const stamp = await stampOf(step.path);
      if (this.hasStopped()) return;
      if (isKnown(step.step) && !this.hasChanged(step.step, stamp)) continue;
      const isSettled = this.settling.observe(step.path, stamp, now);
      if (isSettled) await this.handOn(step, stamp);
    }
  }

  /** To be asked after each wait: a watch that was stopped meanwhile hands nothing on. */
  private hasStopped(): boolean {
    return this.isStopped;
  }

  private hasChanged(step: number, stamp: string): boolean {
    const before = this.knownStamps.get(step);
    if (before === undefined) this.knownStamps.set(step, stamp);
    return before !== undefined && before !== stamp;
  }

  private async handOn(step: RunStep, stamp: string): Promise<void> {
    const { reader, onComplete, onIncomplete } = this.options;
    const reason = await reader.incompleteness(step.path);
    if (this.hasStopped()) return;
    if (reason === undefined) {
      this.knownStamps.set(step.step, stamp);
      await onComplete(step);
    } else if (this.incompleteStamps.get(step.step) !== stamp) {
      this.incompleteStamps.set(step.step, stamp);
      onIncomplete(step, reason);
    }
  }

  private async lookAgain(): Promise<void> {
    try {
      await this.look(performance.now());
    } catch (error) {
      if (!this.hasStopped()) this.options.onProblem(error);
    }
    if (this.hasStopped()) return;
    const pause = Math.min(5000, Math.max(200, this.options.settleMs / 3));
    this.timer = setTimeout(() => void this.lookAgain(), pause);
  }
}
