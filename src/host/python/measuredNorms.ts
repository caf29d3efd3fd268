/** Which norms in the code of the workspace have been measured, and in which report. */
import path from "node:path";
import * as vscode from "vscode";
import type { NormSummary, Report } from "../../diagnosis/report";
import type { NormSite } from "../../python/normSites";
import type { ModuleFile } from "../../python/structure";
import type { PythonFiles } from "./pythonFiles";

/** A report that may be of a model whose code is in the workspace. */
export interface KnownReport {
  key: string;
  name: string;
  /** The checkpoint's file or folder. */
  checkpoint: string;
}

/** Where reports come from: the store, with the pinned one, if any, alone. */
export interface ReportSource {
  /** The newest first. */
  list(): Promise<readonly KnownReport[]>;
  read(key: string): Promise<Report | undefined>;
  readonly onDidChange: vscode.Event<void>;
}

/** A norm site and what was measured at the norm that it makes. */
export interface MeasuredNorm {
  site: NormSite;
  norm: NormSummary;
  key: string;
  name: string;
  report: Report;
}

export interface NormsOfFile {
  file: ModuleFile;
  measured: MeasuredNorm[];
  /** True where no report is of a model of this file. */
  isUnmeasured: boolean;
}

export class MeasuredNorms {
  constructor(
    private readonly files: PythonFiles,
    private readonly reports: ReportSource,
  ) {}

  /**
   * The norms that a document makes. A report belongs to the code that is nearest to its checkpoint
   * and makes its norms: so the models of a workspace do not mix. Of several reports of the same
   * code, the newest counts.
   *
   * @returns undefined where `signal` was aborted
   */
  async of(document: vscode.TextDocument, signal: AbortSignal): Promise<NormsOfFile | undefined> {
    const file = await this.files.readDocument(document, signal);
    if (file === undefined) return undefined;
    if (file.sites.length === 0) return { file, measured: [], isUnmeasured: false };
    for (const known of await this.reports.list()) {
      if (signal.aborted) return undefined;
      if (!mayBeOf(document.uri.fsPath, known.checkpoint)) continue;
      const report = await this.reports.read(known.key);
      const found = report && (await this.find(report, known, file));
      if (report === undefined || found === undefined) continue;
      const measured = found.flatMap(({ site, norm }): MeasuredNorm[] => [
        { site, norm, key: known.key, name: known.name, report },
      ]);
      return { file, measured, isUnmeasured: false };
    }
    return { file, measured: [], isUnmeasured: true };
  }

  /** The sites of `file` that make the report's norms; undefined where it is other code's. */
  private async find(
    report: Report,
    { checkpoint }: KnownReport,
    file: ModuleFile,
  ): Promise<{ site: NormSite; norm: NormSummary }[] | undefined> {
    const norms = report.architecture.norms ?? [];
    if (norms.length === 0) return undefined;
    const byPath = new Map(norms.map((norm) => [norm.path, norm]));
    const reader = await this.files.load();
    for (const folder of foldersAbove(checkpoint)) {
      const code = await this.files.readFolder(folder);
      const names = [report.architecture.family];
      const { matches } = reader.match(code, [...byPath.keys()], names);
      if (matches.length === 0) continue;
      const here = matches.filter((match) => match.path === file.path);
      if (here.length === 0) return undefined;
      return here.flatMap(({ normPath, sites }) =>
        sites.map((site) => ({ site, norm: byPath.get(normPath)! })),
      );
    }
    return undefined;
  }
}

/** The folders in which a checkpoint's code is looked for, the nearest first. */
function foldersAbove(checkpoint: string): string[] {
  const root = rootOf(checkpoint);
  const folders: string[] = [];
  for (let at = path.resolve(checkpoint); ; at = path.dirname(at)) {
    folders.push(at);
    if (at === root || at === path.dirname(at)) break;
  }
  return root === undefined ? [] : folders;
}

/** Only code of the workspace folder that the checkpoint lies in is its code. */
function mayBeOf(file: string, checkpoint: string): boolean {
  const root = rootOf(checkpoint);
  return root !== undefined && isWithin(file, root);
}

function rootOf(file: string): string | undefined {
  return vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file))?.uri.fsPath;
}

function isWithin(file: string, folder: string): boolean {
  const relative = path.relative(folder, file);
  return !relative.startsWith("..") && !path.isAbsolute(relative);
}
