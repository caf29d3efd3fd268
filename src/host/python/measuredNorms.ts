/** Which norms in the code of the workspace have been measured, and in which report. */
import type * as vscode from "vscode";
import type { NormSummary, Report } from "../../diagnosis/report";
import type { MatchOptions, NormMatches } from "../../python/matchNorms";
import type { NormSite } from "../../python/normSites";
import type { PythonReader } from "../../python/reader";
import type { ModuleFile } from "../../python/structure";
import {
  candidateReports,
  codeFolders,
  type Candidate,
  type KnownReport,
  type RootOf,
} from "./candidateReports";
import type { ChosenCheckpoints } from "./chosenCheckpoints";
import { KeptMatches } from "./keptMatches";
import { pathOf } from "./pathOf";

/** Where reports come from: the store, which tells which one is pinned. */
export interface ReportSource {
  /** The newest first. */
  list(): Promise<readonly KnownReport[]>;
  read(key: string): Promise<Report | undefined>;
  readonly onDidChange: vscode.Event<void>;
}

/** Where code comes from: the files of the workspace. */
export interface CodeSource {
  load(): Promise<Pick<PythonReader, "match" | "matchWithin">>;
  readDocument(
    document: vscode.TextDocument,
    signal?: AbortSignal,
  ): Promise<ModuleFile | undefined>;
  readFolder(folder: string, near: string): Promise<ModuleFile[]>;
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
  /** True where there are reports, be they of other models, among which a person may choose. */
  hasReports: boolean;
}

/** What of a report is looked for in code. */
interface NormsOfReport {
  family: string;
  norms: ReadonlyMap<string, NormSummary>;
}

/** What a report has to do with a file. */
type Fit =
  | { kind: "own"; found: readonly FoundNorm[] }
  /** The file makes its norms, and so does other code that has nothing to do with this. */
  | { kind: "undecided" }
  | { kind: "other" };

export class MeasuredNorms {
  private lastFound = new WeakMap<vscode.TextDocument, { version: number; norms: NormsOfFile }>();
  private readonly normsOfReports = new Map<string, Promise<NormsOfReport | undefined>>();
  private readonly keptMatches = new KeptMatches();

  constructor(
    private readonly files: CodeSource,
    private readonly reports: Pick<ReportSource, "list" | "read">,
    private readonly chosen: Pick<ChosenCheckpoints, "of">,
    private readonly rootOf: RootOf,
  ) {}

  /**
   * The norms that a document makes. A report belongs to the code that is nearest to its checkpoint
   * and makes its norms: so the models of a workspace do not mix. Of several reports of the same
   * code, the first of candidateReports counts.
   *
   * @returns undefined where `signal` was aborted
   */
  async of(document: vscode.TextDocument, signal: AbortSignal): Promise<NormsOfFile | undefined> {
    const { version } = document;
    const norms = await this.find(document, signal);
    if (norms !== undefined) this.lastFound.set(document, { version, norms });
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

  /** To be called when there may be other numbers for the same code. */
  forget(): void {
    this.lastFound = new WeakMap();
    this.normsOfReports.clear();
  }

  private async find(
    document: vscode.TextDocument,
    signal: AbortSignal,
  ): Promise<NormsOfFile | undefined> {
    const file = await this.files.readDocument(document, signal);
    if (file === undefined) return undefined;
    const nothing = {
      file,
      measured: [],
      isUnmeasured: false,
      undecided: [],
      hasReports: false,
    };
    if (file.sites.length === 0) return nothing;
    const { fsPath } = document.uri;
    const all = await this.reports.list();
    const chosen = this.chosen.of(pathOf(document.uri));
    const undecided: FittingReport[] = [];
    for (const candidate of candidateReports(fsPath, all, chosen, this.rootOf)) {
      const { known } = candidate;
      if (signal.aborted) return undefined;
      const fit = await this.fitOf(candidate, file, fsPath);
      if (fit.kind === "other") continue;
      const report = await this.reports.read(known.key);
      if (report === undefined) continue;
      if (fit.kind === "undecided") {
        undecided.push({ ...known, report });
        continue;
      }
      const { key, name } = known;
      const measured = fit.found.map(({ site, norm }) => ({ site, norm, key, name, report }));
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
    const file = await this.files.readDocument(document);
    if (file === undefined) return [];
    const fitting = new Map<string, FittingReport>();
    for (const known of await this.reports.list()) {
      const { checkpoint } = known;
      if (fitting.has(checkpoint)) continue;
      const found = await this.findAlone(known, file, document.uri.fsPath);
      const report = found.length > 0 ? await this.reports.read(known.key) : undefined;
      if (report !== undefined) fitting.set(checkpoint, { ...known, report });
    }
    return [...fitting.values()];
  }

  private async fitOf(
    { known, isChosen }: Candidate,
    file: ModuleFile,
    filePath: string,
  ): Promise<Fit> {
    const { checkpoint } = known;
    const options = { anyFamily: isChosen };
    const wanted = await this.normsOf(known);
    if (wanted === undefined) return { kind: "other" };
    const fit = (found: readonly FoundNorm[]): Fit =>
      found.length > 0 ? { kind: "own", found } : { kind: "other" };
    for (const folder of codeFolders(filePath, checkpoint, this.rootOf)) {
      const all = await this.files.readFolder(folder, filePath);
      const owner = all.find(({ path }) => this.chosen.of(path) === checkpoint);
      if (owner !== undefined) {
        const makes = await this.match(folder, all, wanted, { anyFamily: true }, owner);
        return fit(sitesIn(file, makes, wanted));
      }
      // Code that a person said makes another checkpoint is no rival.
      const code = all.filter(({ path }) => this.chosen.of(path) === undefined);
      const found = await this.match(folder, code, wanted, options);
      const own = sitesIn(file, found, wanted);
      if (own.length === 0 && found.ambiguous.length > 0) {
        const alone = await this.match(folder, code, wanted, options, file);
        if (sitesIn(file, alone, wanted).length > 0) return { kind: "undecided" };
      }
      if (found.matches.length > 0 || found.ambiguous.length > 0) return fit(own);
    }
    return { kind: "other" };
  }

  /** The sites of a file that make a report's norms, as if there were no other model. */
  private async findAlone(
    known: KnownReport,
    file: ModuleFile,
    filePath: string,
  ): Promise<FoundNorm[]> {
    const wanted = await this.normsOf(known);
    if (wanted === undefined) return [];
    for (const folder of codeFolders(filePath, known.checkpoint, this.rootOf)) {
      const code = await this.files.readFolder(folder, filePath);
      const matches = await this.match(folder, code, wanted, { anyFamily: true }, file);
      const found = sitesIn(file, matches, wanted);
      if (found.length > 0) return found;
    }
    return [];
  }

  /** @param within the file whose model alone counts; left out, all models of the folder do */
  private async match(
    folder: string,
    code: readonly ModuleFile[],
    { family, norms }: NormsOfReport,
    options: MatchOptions,
    within?: ModuleFile,
  ): Promise<NormMatches> {
    const reader = await this.files.load();
    const paths = [...norms.keys()];
    // Reports of one run ask the same, so that only the first of them is matched.
    const question = JSON.stringify([folder, within?.path, options, family, paths]);
    return this.keptMatches.of(question, code, () =>
      within === undefined
        ? reader.match(code, paths, [family], options)
        : reader.matchWithin(code, within.path, paths, [family], options),
    );
  }

  /** Kept, since a whole report takes long to read. */
  private normsOf({ key }: KnownReport): Promise<NormsOfReport | undefined> {
    const norms = this.normsOfReports.get(key) ?? this.reports.read(key).then(normsIn);
    this.normsOfReports.set(key, norms);
    return norms;
  }
}

function normsIn(report: Report | undefined): NormsOfReport | undefined {
  if (report === undefined) return undefined;
  const { family, norms = [] } = report.architecture;
  return { family, norms: new Map(norms.map((norm) => [norm.path, norm])) };
}

function sitesIn(
  file: ModuleFile,
  { matches }: NormMatches,
  { norms }: NormsOfReport,
): FoundNorm[] {
  return matches
    .filter((match) => match.path === file.path)
    .flatMap(({ normPath, sites }) => sites.map((site) => ({ site, norm: norms.get(normPath)! })));
}
