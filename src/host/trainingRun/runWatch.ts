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
  /** True for a step that need not be handed on any more. */
  isKnown: (step: number) => boolean;
  onComplete: (step: RunStep) => unknown;
  /** A look that failed; the next may not. */
  onProblem: (error: unknown) => void;
}

export class RunWatch {
  private readonly settling: Settling;
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
    const { folder, reader, isKnown, onComplete } = this.options;
    for (const step of await stepsIn(folder)) {
      if (this.isStopped || isKnown(step.step)) continue;
      const isSettled = this.settling.observe(step.path, await stampOf(step.path), now);
      if (isSettled && (await reader.incompleteness(step.path)) === undefined)
        await onComplete(step);
    }
  }

  private async lookAgain(): Promise<void> {
    try {
      await this.look(performance.now());
    } catch (error) {
      this.options.onProblem(error);
    }
    if (this.isStopped) return;
    const pause = Math.min(5000, Math.max(200, this.options.settleMs / 3));
    this.timer = setTimeout(() => void this.lookAgain(), pause);
  }
}
