/** Which norms in the code of the workspace have been measured, and in which report. */
import * as vscode from "vscode";
import type { NormSummary, Report } from "../../diagnosis/report";
import type { NormMatches } from "../../python/matchNorms";
import type { NormSite } from "../../python/normSites";
import type { ModuleFile } from "../../python/structure";
import {
  candidateReports,
  codeFolders,
  type Candidate,
  type KnownReport,
} from "./candidateReports";
import type { ChosenCheckpoints } from "./chosenCheckpoints";
import { pathOf, type PythonFiles } from "./pythonFiles";

/** Where reports come from: the store, which tells which one is pinned. */
export interface ReportSource {
  /** The newest first. */
  list(): Promise<readonly KnownReport[]>;
  read(key: string): Promise<Report | undefined>;
  readonly onDidChange: vscode.Event<void>;
}

interface FoundNorm {
  site: NormSite;
  norm: NormSummary;
}

/** A norm site and what was measured at the norm that it makes. */
export interface MeasuredNorm extends FoundNorm {
  key: string;
  name: string;
  report: Report;
}

/** A report whose norms a file may make. */
export interface FittingReport extends KnownReport {
  report: Report;
}

export interface NormsOfFile {
  file: ModuleFile;
  measured: MeasuredNorm[];
  /** True where no report is of a model of this file. */
  isUnmeasured: boolean;
  /** Reports that other code fits as well as this: a person has to say which is whose. */
  undecided: FittingReport[];
}

/** What a report has to do with a file. */
type Fit =
  | { kind: "own"; found: readonly FoundNorm[] }
  /** The file makes its norms, and so does other code that has nothing to do with this. */
  | { kind: "undecided" }
  | { kind: "other" };

export class MeasuredNorms {
  private lastFound = new WeakMap<vscode.TextDocument, { version: number; norms: NormsOfFile }>();

  constructor(
    private readonly files: PythonFiles,
    private readonly reports: ReportSource,
    private readonly chosen: ChosenCheckpoints,
  ) {}

  /**
   * The norms that a document makes. A report belongs to the code that is nearest to its checkpoint
   * and makes its norms: so the models of a workspace do not mix. Of several reports of the same
   * code, the newest counts, or that of the checkpoint that was chosen for the file.
   *
   * @returns undefined where `signal` was aborted
   */
  async of(document: vscode.TextDocument, signal: AbortSignal): Promise<NormsOfFile | undefined> {
    const { version } = document;
    const norms = await this.find(document, signal);
    if (norms !== undefined) this.lastFound.set(document, { version, norms });
    return norms;
  }

  /** What was last found for the document as it stands, without looking again. */
  last(document: vscode.TextDocument): NormsOfFile | undefined {
    const found = this.lastFound.get(document);
    return found?.version === document.version ? found.norms : undefined;
  }

  /** To be called when there may be other numbers for the same code. */
  forget(): void {
    this.lastFound = new WeakMap();
  }

  private async find(
    document: vscode.TextDocument,
    signal: AbortSignal,
  ): Promise<NormsOfFile | undefined> {
    const file = await this.files.readDocument(document, signal);
    if (file === undefined) return undefined;
    const nothing = { file, measured: [], isUnmeasured: false, undecided: [] };
    if (file.sites.length === 0) return nothing;
    const undecided: FittingReport[] = [];
    for (const candidate of await this.candidates(document)) {
      const { known } = candidate;
      if (signal.aborted) return undefined;
      const report = await this.reports.read(known.key);
      if (report === undefined) continue;
      const fit = await this.fitOf(report, candidate, file, document.uri.fsPath);
      if (fit.kind === "undecided") undecided.push({ ...known, report });
      if (fit.kind !== "own") continue;
      const { key, name } = known;
      const measured = fit.found.map(({ site, norm }) => ({ site, norm, key, name, report }));
      return { ...nothing, measured };
    }
    return { ...nothing, isUnmeasured: undecided.length === 0, undecided };
  }

  /**
   * Of each checkpoint that a document may make, the newest report: wherever the checkpoint lies, and
   * whatever family it is of, since a person chooses.
   */
  async fitting(document: vscode.TextDocument): Promise<FittingReport[]> {
    const file = await this.files.readDocument(document);
    if (file === undefined) return [];
    const fitting = new Map<string, FittingReport>();
    for (const known of await this.reports.list()) {
      const { checkpoint } = known;
      if (fitting.has(checkpoint)) continue;
      const report = await this.reports.read(known.key);
      if (report === undefined) continue;
      const found = await this.findAlone(report, checkpoint, file, document.uri.fsPath);
      if (found.length > 0) fitting.set(checkpoint, { ...known, report });
    }
    return [...fitting.values()];
  }

  private async candidates({ uri }: vscode.TextDocument): Promise<Candidate[]> {
    const all = await this.reports.list();
    return candidateReports(uri.fsPath, all, this.chosen.of(pathOf(uri)), rootOf);
  }

  private async fitOf(
    report: Report,
    { known: { checkpoint }, isChosen }: Candidate,
    file: ModuleFile,
    filePath: string,
  ): Promise<Fit> {
    const options = { anyFamily: isChosen };
    const norms = normsByPath(report);
    const paths = [...norms.keys()];
    const names = [report.architecture.family];
    const reader = await this.files.load();
    const fit = (found: readonly FoundNorm[]): Fit =>
      found.length > 0 ? { kind: "own", found } : { kind: "other" };
    for (const folder of codeFolders(filePath, checkpoint, rootOf)) {
      const all = await this.files.readFolder(folder);
      const owner = all.find(({ path }) => this.chosen.of(path) === checkpoint);
      if (owner !== undefined) {
        const makes = await reader.matchWithin(all, owner.path, paths, names, { anyFamily: true });
        return fit(sitesIn(file, makes, norms));
      }
      // Code that a person said makes another checkpoint is no rival.
      const code = all.filter(({ path }) => this.chosen.of(path) === undefined);
      const found = await reader.match(code, paths, names, options);
      const own = sitesIn(file, found, norms);
      if (own.length === 0 && found.ambiguous.length > 0) {
        const alone = await reader.matchWithin(code, file.path, paths, names, options);
        if (sitesIn(file, alone, norms).length > 0) return { kind: "undecided" };
      }
      if (found.matches.length > 0 || found.ambiguous.length > 0) return fit(own);
    }
    return { kind: "other" };
  }

  /** The sites of a file that make a report's norms, as if there were no other model. */
  private async findAlone(
    report: Report,
    checkpoint: string,
    file: ModuleFile,
    filePath: string,
  ): Promise<FoundNorm[]> {
    const norms = normsByPath(report);
    const reader = await this.files.load();
    for (const folder of codeFolders(filePath, checkpoint, rootOf)) {
      const code = await this.files.readFolder(folder);
      const names = [report.architecture.family];
      const paths = [...norms.keys()];
      const matches = await reader.matchWithin(code, file.path, paths, names, { anyFamily: true });
      const found = sitesIn(file, matches, norms);
      if (found.length > 0) return found;
    }
    return [];
  }
}

function normsByPath({ architecture }: Report): ReadonlyMap<string, NormSummary> {
  return new Map((architecture.norms ?? []).map((norm) => [norm.path, norm]));
}

function sitesIn(
  file: ModuleFile,
  { matches }: NormMatches,
  norms: ReadonlyMap<string, NormSummary>,
): FoundNorm[] {
  return matches
    .filter((match) => match.path === file.path)
    .flatMap(({ normPath, sites }) => sites.map((site) => ({ site, norm: norms.get(normPath)! })));
}

function rootOf(file: string): string | undefined {
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath;
}
