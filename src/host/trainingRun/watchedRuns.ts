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

const memoryKey = "watchedRuns";

export class WatchedRuns {
  constructor(private readonly memory: Memory) {}

  /** What to warn of, by the absolute path of each run's folder. */
  get all(): Readonly<Record<string, AlertRules>> {
    const kept = this.memory.get(memoryKey);
    return typeof kept === "object" && kept !== null ? { ...kept } : {};
  }

  async add(folder: string, rules: AlertRules): Promise<void> {
    await this.memory.update(memoryKey, { ...this.all, [folder]: rules });
  }

  async remove(folder: string): Promise<void> {
    const others = Object.entries(this.all).filter(([one]) => one !== folder);
    await this.memory.update(memoryKey, Object.fromEntries(others));
  }
}
