/**
 * The reports of a workspace, kept from one window to the next: one file each, which opens as a
 * report like any other, and an index of their headlines, which can be made anew from the files.
 */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Report } from "../../diagnosis/report";
import { headlineOf, type Headline } from "../../report/headline";
import { writeWholeFile } from "../../report/wholeFile";
import type { Reader } from "../reading/reader";

/** What a list shows of a stored report. */
export interface ReportHeadline extends Headline {
  /** From `reportKey`: what was measured, and how. */
  key: string;
  /** The checkpoint's name, for example `pre-ln/4000`. */
  name: string;
  /** When it was stored, as an ISO 8601 time. */
  savedAt: string;
}

export interface ReportStoreOptions {
  /** Reports that cannot be read are skipped with a line there. */
  log: { warn(message: string): void };
  /** Names the checkpoint of a report that the index has lost. */
  nameOf(checkpointPath: string): string;
  reader: Pick<Reader, "readReport" | "writeReport" | "readIndex">;
}

export class ReportStore {
  private entries: Promise<Map<string, ReportHeadline>> | undefined;
  private readonly listeners = new Set<() => void>();
  private lastChange: Promise<unknown> = Promise.resolve();

  /** @param folder made when the first report is saved */
  constructor(
    private readonly folder: string,
    private readonly options: ReportStoreOptions,
  ) {}

  /** Calls `listener` after each change of the list, until it is disposed of. */
  onDidChange(listener: () => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  /** All stored reports, the newest first. */
  async list(): Promise<ReportHeadline[]> {
    const entries = await this.load();
    return [...entries.values()].sort((a, b) => b.savedAt.localeCompare(a.savedAt));
  }

  async find(key: string): Promise<ReportHeadline | undefined> {
    return (await this.load()).get(key);
  }

  /** The whole report; undefined, with a line in the log, where it is gone or spoilt. */
  async read(key: string): Promise<Report | undefined> {
    return isKey(key) ? this.readFile(this.fileOf(key)) : undefined;
  }

  /**
   * Stores a report in the place of an older one with the same key.
   *
   * @throws FileWriteError when the disk does not take it; then the older one still stands
   */
  async save(
    key: string,
    name: string,
    report: Report,
    savedAt = new Date().toISOString(),
  ): Promise<ReportHeadline> {
    if (!isKey(key)) throw new Error(`${JSON.stringify(key)} is not the key of a report.`);
    const headline: ReportHeadline = { key, name, savedAt, ...headlineOf(report) };
    await this.change(async (entries) => {
      await mkdir(this.folder, { recursive: true });
      await this.options.reader.writeReport(this.fileOf(key), report);
      entries.set(key, headline);
    });
    return headline;
  }

  /**
   * Deletes a report.
   *
   * @returns a function that brings it back as it was, or undefined where there was none
   */
  async delete(key: string): Promise<(() => Promise<void>) | undefined> {
    const headline = await this.find(key);
    if (headline === undefined) return undefined;
    const content = await readFile(this.fileOf(key)).catch(() => undefined);
    await this.change(async (entries) => {
      await rm(this.fileOf(key), { force: true });
      entries.delete(key);
    });
    return () =>
      this.change(async (entries) => {
        if (content === undefined) return;
        await writeWholeFile(this.fileOf(key), content);
        entries.set(key, headline);
      });
  }

  /** One change after the other: each writes the whole index. */
  private async change(
    action: (entries: Map<string, ReportHeadline>) => Promise<void>,
  ): Promise<void> {
    const before = this.lastChange;
    const change = (async (): Promise<void> => {
      await before;
      const entries = await this.load();
      await action(entries);
      await this.writeIndex(entries);
      for (const listener of this.listeners) listener();
    })();
    // The next change waits for this one, whatever becomes of it.
    this.lastChange = change.catch(() => undefined);
    await change;
  }

  private load(): Promise<Map<string, ReportHeadline>> {
    this.entries ??= this.readAll();
    return this.entries;
  }

  /** The files decide which reports there are; the index saves reading them. */
  private async readAll(): Promise<Map<string, ReportHeadline>> {
    const names = await readdir(this.folder).catch((): string[] => []);
    const keys = names
      .filter((name) => name.endsWith(reportSuffix))
      .map((name) => name.slice(0, -reportSuffix.length))
      .filter(isKey);
    if (keys.length === 0) return new Map();
    const indexed = await this.readIndex();
    const entries = new Map<string, ReportHeadline>();
    for (const key of keys) {
      const headline = indexed.get(key) ?? (await this.headlineFromFile(key));
      if (headline !== undefined) entries.set(key, headline);
    }
    return entries;
  }

  private async headlineFromFile(key: string): Promise<ReportHeadline | undefined> {
    const file = this.fileOf(key);
    const report = await this.readFile(file);
    const stats = await stat(file).catch(() => undefined);
    if (report === undefined || stats === undefined) return undefined;
    const headline = headlineOf(report);
    const name = this.options.nameOf(headline.checkpointPath);
    return { key, name, savedAt: stats.mtime.toISOString(), ...headline };
  }

  private async readFile(file: string): Promise<Report | undefined> {
    try {
      return await this.options.reader.readReport(file);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.options.log.warn(`The stored report ${file} is skipped: ${reason}`);
      return undefined;
    }
  }

  private async readIndex(): Promise<Map<string, ReportHeadline>> {
    if ((await stat(this.indexFile).catch(() => undefined)) === undefined) return new Map();
    try {
      const headlines = await this.options.reader.readIndex(this.indexFile);
      return new Map(headlines.map((headline) => [headline.key, headline]));
    } catch {
      this.options.log.warn(`${this.indexFile} is spoilt; it is made anew from the reports.`);
      return new Map();
    }
  }

  /** An index that cannot be written costs time at the next start, not a report. */
  private async writeIndex(entries: ReadonlyMap<string, ReportHeadline>): Promise<void> {
    const index = { version: 1, reports: [...entries.values()] };
    try {
      await writeWholeFile(this.indexFile, JSON.stringify(index));
    } catch (error) {
      this.options.log.warn(error instanceof Error ? error.message : String(error));
    }
  }

  private fileOf(key: string): string {
    return path.join(this.folder, `${key}${reportSuffix}`);
  }

  private get indexFile(): string {
    return path.join(this.folder, "index.json");
  }
}

/** What a report's file is called, after its name; the editor opens such files as reports. */
export const reportSuffix = ".fathom.json";

/** Keys become file names, and some come from where anyone may write. */
function isKey(key: string): boolean {
  return /^[0-9a-f]{64}$/.test(key);
}
