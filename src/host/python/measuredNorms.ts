/** Which norms in the code of the workspace have been measured, and in which report. */
import type * as vscode from "vscode";
import type { NormSummary, Report } from "../../diagnosis/report";
import { candidateReports, codeFolders, type KnownReport, type RootOf } from "./candidateReports";
import type { ChosenCheckpoints } from "./chosenCheckpoints";
import { pathOf } from "./pathOf";
import type { PythonCode } from "./pythonCode";
import type { Fit, FitQuestion, SitePlace } from "./pythonMessages";

/** Where reports come from: the store, which tells which one is pinned. */
export interface ReportSource {
  /** The newest first. */
  list(): Promise<readonly KnownReport[]>;
  read(key: string): Promise<Report | undefined>;
  readonly onDidChange: vscode.Event<void>;
}

/** A norm site and what was measured at the norm that it makes. */
export interface MeasuredNorm {
  site: SitePlace;
  norm: NormSummary;
  key: string;
  name: string;
  report: Report;
}

/** A report whose norms a file may make. */
export interface FittingReport extends KnownReport {
  report: Report;
}

export interface NormsOfFile {
  sites: readonly SitePlace[];
  measured: MeasuredNorm[];
  /** True where no report is of a model of this file. */
  isUnmeasured: boolean;
  /** Reports that other code fits as well as this: a person has to say which is whose. */
  undecided: FittingReport[];
  /** True where there are reports, be they of other models, among which a person may choose. */
  hasReports: boolean;
}

/** What of a report is looked for in code. */
interface Sought {
  family: string;
  normPaths: readonly string[];
}

interface Kept {
  savedAt: string;
  /** undefined where the report could not be read. */
  sought: Promise<Sought | undefined>;
}

export class MeasuredNorms {
  private lastFound = new WeakMap<vscode.TextDocument, { version: number; norms: NormsOfFile }>();
  /** By the reports' keys. A whole report takes long to read, and its figures are much to keep. */
  private readonly kept = new Map<string, Kept>();
  private readonly unread = new Set<string>();

  constructor(
    private readonly code: Pick<PythonCode, "sitesOf" | "fitOf">,
    private readonly reports: Pick<ReportSource, "list" | "read">,
    private readonly chosen: Pick<ChosenCheckpoints, "of" | "all">,
    private readonly rootOf: RootOf,
  ) {}

  /**
   * The norms that a document makes. A report belongs to the code that is nearest to its checkpoint
   * and makes its norms: so the models of a workspace do not mix. Of several reports of the same
   * code, the first of candidateReports counts.
   *
   * @returns undefined where `signal` was aborted or the document was edited meanwhile
   */
  async of(document: vscode.TextDocument, signal: AbortSignal): Promise<NormsOfFile | undefined> {
    const { version } = document;
    // What is found while other code or another report comes is not taken for the last.
    const { lastFound } = this;
    const norms = await this.find(document, signal);
    if (norms === undefined || document.version !== version) return undefined;
    lastFound.set(document, { version, norms });
    return norms;
  }

  /**
   * What was last found for the document as it stands, as by the lenses; it is looked for where there
   * is nothing, as when they are switched off.
   */
  async known(
    document: vscode.TextDocument,
    signal: AbortSignal,
  ): Promise<NormsOfFile | undefined> {
    const found = this.lastFound.get(document);
    return found?.version === document.version ? found.norms : this.of(document, signal);
  }

  /** To be called when some file has changed: what a document makes may be written in another. */
  forgetFound(): void {
    this.lastFound = new WeakMap();
  }

  /** To be called when there may be other numbers for the same code: reports that stay are not read again. */
  forget(): void {
    this.forgetFound();
    for (const key of this.unread) this.kept.delete(key);
    this.unread.clear();
  }

  private async find(
    document: vscode.TextDocument,
    signal: AbortSignal,
  ): Promise<NormsOfFile | undefined> {
    const sites = await this.code.sitesOf(document);
    if (sites === undefined) return undefined;
    const nothing = {
      sites,
      measured: [],
      isUnmeasured: false,
      undecided: [],
      hasReports: false,
    };
    if (sites.length === 0) return nothing;
    const { fsPath } = document.uri;
    const all = await this.list();
    const chosen = this.chosen.of(pathOf(document.uri));
    const undecided: FittingReport[] = [];
    for (const { known, isChosen } of candidateReports(fsPath, all, chosen, this.rootOf)) {
      const sought = await this.soughtOf(known);
      if (sought === undefined) continue;
      if (signal.aborted) return undefined;
      const among = isChosen ? "allFamilies" : "all";
      const fit = await this.fitOf(document, known, sought, among);
      if (fit === undefined) return undefined;
      if (fit.kind === "other") continue;
      const report = await this.reports.read(known.key);
      if (report === undefined) continue;
      if (fit.kind === "undecided") {
        undecided.push({ ...known, report });
        continue;
      }
      const { key, name } = known;
      const { norms = [] } = report.architecture;
      // None of a report that was stored anew since it was listed; several of one that moves with depth.
      const measured = fit.found.flatMap(({ place, normPath }) =>
        norms
          .filter(({ path }) => path === normPath)
          .map((norm) => ({ site: place, norm, key, name, report })),
      );
      return { ...nothing, measured, hasReports: true };
    }
    const isUnmeasured = undecided.length === 0;
    return { ...nothing, isUnmeasured, undecided, hasReports: all.length > 0 };
  }

  /**
   * Of each checkpoint that a document may make, the newest report: wherever the checkpoint lies, and
   * whatever family it is of, since a person chooses.
   */
  async fitting(document: vscode.TextDocument): Promise<FittingReport[]> {
    const fitting = new Map<string, FittingReport>();
    for (const known of await this.list()) {
      const { checkpoint } = known;
      if (fitting.has(checkpoint)) continue;
      const sought = await this.soughtOf(known);
      const fit = sought && (await this.fitOf(document, known, sought, "itself"));
      const report = fit?.kind === "own" ? await this.reports.read(known.key) : undefined;
      if (report !== undefined) fitting.set(checkpoint, { ...known, report });
    }
    return [...fitting.values()];
  }

  private fitOf(
    document: vscode.TextDocument,
    { checkpoint }: KnownReport,
    sought: Sought,
    among: FitQuestion["among"],
  ): Promise<Fit | undefined> {
    const folders = codeFolders(document.uri.fsPath, checkpoint, this.rootOf);
    return this.code.fitOf(document, {
      folders,
      isWatched: this.rootOf(folders[0]!) !== undefined,
      checkpoint,
      ...sought,
      chosen: this.chosen.all,
      among,
    });
  }

  /** All reports; what is kept of others is dropped. */
  private async list(): Promise<readonly KnownReport[]> {
    const all = await this.reports.list();
    const keys = new Set(all.map(({ key }) => key));
    for (const key of this.kept.keys()) if (!keys.has(key)) this.kept.delete(key);
    return all;
  }

  private soughtOf({ key, savedAt }: KnownReport): Promise<Sought | undefined> {
    const before = this.kept.get(key);
    if (before?.savedAt === savedAt) return before.sought;
    const sought = this.readSought(key);
    this.kept.set(key, { savedAt, sought });
    return sought;
  }

  private async readSought(key: string): Promise<Sought | undefined> {
    this.unread.add(key);
    const report = await this.reports.read(key);
    if (report === undefined) return undefined;
    this.unread.delete(key);
    const { family, norms = [] } = report.architecture;
    return { family, normPaths: [...new Set(norms.map(({ path }) => path))] };
  }
}
