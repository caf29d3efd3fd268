/**
 * Remembers which runs are watched, and what to warn of: a watch outlives its panel and its window.
 * Knows nothing of the editor but where to keep things.
 */
import type { AlertRules } from "../../trainingRun/alerts";

/** The editor's memory of a workspace. */
export interface Memory {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** A watch as it is kept. */
export interface WatchedRun {
  /** What to warn of where the settings name nothing. */
  rules: AlertRules;
  /** The steps that were complete when it began: they are not new, whenever the window comes back. */
  earlier: readonly number[];
}

const memoryKey = "watchedRuns";

export class WatchedRuns {
  constructor(private readonly memory: Memory) {}

  /** By the absolute path of each run's folder. */
  get all(): Readonly<Record<string, WatchedRun>> {
    const kept = this.memory.get(memoryKey);
    const entries = Object.entries(typeof kept === "object" && kept !== null ? kept : {});
    return Object.fromEntries(
      entries.filter((entry): entry is [string, WatchedRun] => isWatchedRun(entry[1])),
    );
  }

  async add(folder: string, run: WatchedRun): Promise<void> {
    await this.memory.update(memoryKey, { ...this.all, [folder]: run });
  }

  async remove(folder: string): Promise<void> {
    const others = Object.entries(this.all).filter(([one]) => one !== folder);
    await this.memory.update(memoryKey, Object.fromEntries(others));
  }
}

/** Another version of the extension may have kept something else. */
function isWatchedRun(kept: unknown): boolean {
  return typeof kept === "object" && kept !== null && "rules" in kept && "earlier" in kept;
}
