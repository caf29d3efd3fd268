/**
 * Which report the side panel shows: the last that was chosen or looked at, or that of the file that is
 * being edited, the one its code makes or else the nearest, or, over all of these, the one that is
 * pinned.
 */
import type { Report } from "../../diagnosis/report";
import type { SideState } from "../../protocol/messages";
import type { Checkpoint } from "../checkpoint";
import type { KnownReport } from "./checkpointTree";
import { nearestTo } from "./nearest";

/** What is known of the workspace, whenever it is asked. */
export interface SelectionSources {
  checkpoints(): readonly Checkpoint[];
  /** Whether there are more, which .gitignore names. */
  hidesCheckpoints(): boolean;
  reports(): Promise<readonly KnownReport[]>;
  read(key: string): Promise<Report | undefined>;
  /** The key of the report whose model a file is code of, where that is known. */
  reportOfCode(file: string): Promise<string | undefined>;
}

/** What is in a panel, stored or not. */
export interface LiveReport {
  /** Tells one panel's reports from another's. */
  id: object;
  name: string;
  /** Absent until there are figures. */
  report?: Report;
  isRunning: boolean;
  /** Of the stored report, once it is. */
  key?: string;
}

/** What the side panel shows, and the stored report or checkpoint that this is. */
export interface Selected {
  state: SideState;
  /** Of a stored report. */
  reportKey?: string;
  /** The checkpoint to diagnose where there is no report. */
  checkpoint?: Checkpoint;
}

type Focus =
  | { kind: "file"; file: string; within?: string }
  | { kind: "stored"; key: string }
  | { kind: "live"; live: LiveReport };

export class Selection {
  private focus: Focus | undefined;
  private now: Selected = { state: { kind: "nothing", checkpoints: "none" } };
  private readonly listeners = new Set<() => void>();
  private lastUpdate = 0;

  /**
   * @param pinnedKey of the report that stays, from an earlier window
   * @param keepPin told of every change of it
   */
  constructor(
    private readonly sources: SelectionSources,
    private pinnedKey: string | undefined,
    private readonly keepPin: (key: string | undefined) => void,
  ) {}

  get selected(): Selected {
    return this.now;
  }

  get pinned(): string | undefined {
    return this.pinnedKey;
  }

  /** Calls `listener` after each change, until it is disposed of. */
  onDidChange(listener: () => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  /** A person opened a file: its model or its nearest checkpoint is meant, unless one is pinned. */
  followFile(file: string, within?: string): Promise<void> {
    return this.look({ kind: "file", file, ...(within !== undefined && { within }) });
  }

  /** A person chose a stored report; a pin goes with it. */
  choose(key: string): Promise<void> {
    if (this.pinnedKey !== undefined) this.setPin(key);
    return this.look({ kind: "stored", key });
  }

  /** A person turned to a panel, or figures came there. */
  async followPanel(live: LiveReport): Promise<void> {
    const isFollowed = this.focus?.kind === "live" && this.focus.live.id === live.id;
    // Figures that come while someone looks elsewhere wait until they are complete.
    const isBeginOrEnd = !live.isRunning || live.report === undefined;
    if (isFollowed || isBeginOrEnd) await this.look({ kind: "live", live });
  }

  /** Keeps the stored report that is shown, or lets go of it. */
  pin(isPinned: boolean): Promise<void> {
    this.setPin(isPinned ? this.now.reportKey : undefined);
    return this.update();
  }

  /** To be called when the checkpoints or the reports have changed. */
  async update(): Promise<void> {
    const turn = ++this.lastUpdate;
    const next = await this.resolve();
    // A later look has overtaken this one while a report was read.
    if (turn !== this.lastUpdate) return;
    this.now = next;
    for (const listener of this.listeners) listener();
  }

  private look(focus: Focus): Promise<void> {
    this.focus = focus;
    return this.update();
  }

  private setPin(key: string | undefined): void {
    this.pinnedKey = key;
    this.keepPin(key);
  }

  private async resolve(): Promise<Selected> {
    const reports = await this.sources.reports();
    if (this.pinnedKey !== undefined) {
      const shown = await this.stored(reports, this.pinnedKey);
      if (shown !== undefined) return shown;
      // It was deleted.
      this.setPin(undefined);
    }
    const { focus } = this;
    const ofPanel = focus?.kind === "live" ? selectedOf(focus.live) : undefined;
    if (ofPanel !== undefined) return ofPanel;
    const chosen = focus?.kind === "stored" ? await this.stored(reports, focus.key) : undefined;
    return chosen ?? (await this.ofCode(reports)) ?? (await this.nearest(reports));
  }

  /** What the numbers in the file's code are of, so that the charts beside it tell the same. */
  private async ofCode(reports: readonly KnownReport[]): Promise<Selected | undefined> {
    const { focus } = this;
    const key = focus?.kind === "file" ? await this.sources.reportOfCode(focus.file) : undefined;
    return key === undefined ? undefined : this.stored(reports, key);
  }

  /** What belongs to the file; without a file, the newest report there is. */
  private async nearest(reports: readonly KnownReport[]): Promise<Selected> {
    const checkpoints = this.sources.checkpoints();
    const hidden = this.sources.hidesCheckpoints() ? "hidden" : "none";
    const nothing: Selected = {
      state: { kind: "nothing", checkpoints: checkpoints.length > 0 ? "listed" : hidden },
    };
    const { focus } = this;
    if (focus?.kind !== "file") {
      const newest = reports.toSorted((a, b) => b.savedAt.localeCompare(a.savedAt))[0];
      return (newest && (await this.stored(reports, newest.key))) ?? nothing;
    }
    const places = [
      ...reports.map((report) => ({ path: report.checkpoint, savedAt: report.savedAt, report })),
      ...checkpoints.map((checkpoint) => ({ path: checkpoint.key, checkpoint })),
    ];
    const near = nearestTo<(typeof places)[number]>(focus.file, places, focus.within);
    const keys = near.flatMap((place) => ("report" in place ? [place.report.key] : []));
    // What is shown already stays while it is as near as any other.
    const key = keys.find((one) => one === this.now.reportKey) ?? keys[0];
    const shown = key === undefined ? undefined : await this.stored(reports, key);
    if (shown !== undefined) return shown;
    const [first] = near.flatMap((place) => ("checkpoint" in place ? [place.checkpoint] : []));
    // Of several that nobody has measured, none is meant more than the others.
    return first === undefined || near.length > 1
      ? nothing
      : { state: { kind: "unmeasured", name: first.name }, checkpoint: first };
  }

  private async stored(
    reports: readonly KnownReport[],
    key: string,
  ): Promise<Selected | undefined> {
    const known = reports.find((report) => report.key === key);
    const report = known && (await this.sources.read(key));
    if (report === undefined) return undefined;
    const { name, savedAt } = known!;
    const isPinned = key === this.pinnedKey;
    return {
      state: { kind: "report", shown: { name, report, isRunning: false, isPinned, savedAt } },
      reportKey: key,
    };
  }
}

/** Undefined where a panel has nothing to show, nor will have. */
function selectedOf({ name, report, isRunning, key }: LiveReport): Selected | undefined {
  if (report === undefined) return isRunning ? { state: { kind: "running", name } } : undefined;
  return {
    state: { kind: "report", shown: { name, report, isRunning, isPinned: false } },
    ...(key !== undefined && { reportKey: key }),
  };
}
