/**
 * What takes long to read, check or write and is therefore not done in the editor's own thread. Two
 * keep this promise: `ThreadedReader` in the extension, and `directReader`, which does the work in
 * whatever thread calls it.
 */
import type { Report } from "../../diagnosis/report";
import type { NamedReport } from "../../report/comparison";
import type { Headline } from "../../report/headline";
import type { TrainingRun } from "../../trainingRun/discover";
import type { LossLogs } from "../../trainingRun/lossLogs";
import type { ExportedRun } from "../../trainingRun/runReport";
import type { DirectoryRequest, PackedDirectory } from "../../protocol/directory";
import type { Outlook } from "../../diagnosis/outlook";
import type { ReportHeadline } from "../reports/reportStore";

export interface Reader {
  /** @throws ReportFileError when the file is no report, Error when it cannot be read */
  readReport(file: string): Promise<Report>;
  /** @throws ReportFileError when the text in UTF-8 is no report */
  parseReport(bytes: Uint8Array): Promise<Report>;
  /** Writes a report as JSON, whole or not at all. @throws FileWriteError */
  writeReport(file: string, report: Report): Promise<void>;
  /** The index of a store of reports. @throws Error when it is missing or spoilt */
  readIndex(file: string): Promise<ReportHeadline[]>;
  /**
   * What a list shows of report files, in their order; files that cannot be read are no failure.
   *
   * @param memory the file in which it is kept what was read, until a report changes
   */
  headlinesOf(files: readonly string[], memory: string): Promise<ReportFileHeadline[]>;
  /** What a report is exported as. */
  reportContent(report: Report, format: TextFormat, webview: string): Promise<Uint8Array>;
  /** What a comparison is exported as; `reference` is the place of the one compared with. */
  comparisonContent(
    reports: readonly NamedReport[],
    reference: number,
    format: TextFormat,
    webview: string,
  ): Promise<Uint8Array>;
  /** What a training run is exported as. */
  runContent(run: ExportedRun, format: TextFormat, webview: string): Promise<Uint8Array>;
  /**
   * Reads up to half a gibibyte of each weight file and two of single tensors; nothing of files that
   * have not been written since they were last read.
   *
   * @param fingerprints the file in which it is kept what was read; without it all is read
   * @throws CheckpointError or Error when something cannot be read, and the reason of `signal`
   */
  contentOf(
    checkpoint: string,
    textFiles: readonly string[],
    signal: AbortSignal,
    fingerprints?: string,
  ): Promise<CheckpointContent>;
  /** Why a checkpoint is not complete; undefined when nothing is missing. */
  incompleteness(checkpoint: string): Promise<string | undefined>;
  /** A checkpoint's tensor directory; reads no weights. @throws CheckpointError */
  directoryOf(checkpoint: string): Promise<PackedDirectory>;
  /** Whether and how it can be diagnosed; reads no weights. @throws CheckpointError */
  outlookOf(request: DirectoryRequest): Promise<Outlook>;
  /** The fathom.json that describes a checkpoint as it is found; reads no weights. @throws CheckpointError */
  statementOf(checkpoint: string): Promise<FoundStatement>;
  /** The losses beside a run, of each series as many points as a chart can show. */
  readLossLogs(run: TrainingRun): Promise<LossLogs>;
}

/** `webview`, where it is asked for, is the folder of the bundles that a page is made of. */
export type TextFormat = "json" | "csv" | "html";

/** What a list shows of a report file, or why it cannot. */
export type ReportFileHeadline =
  | {
      headline: Headline;
      /** Whether the checkpoint that it is of is still where it was measured. */
      hasCheckpoint: boolean;
    }
  | { problem: string };

export interface FoundStatement {
  /** Where it belongs. */
  file: string;
  isThere: boolean;
  text: string;
}

export interface CheckpointContent {
  /** Of the checkpoint, as it was opened. */
  path: string;
  /** All files that the fingerprint and the hashes are of. */
  files: string[];
  /** The files of all these as they were before they were read; another string once one changes. */
  stamps: string;
  fingerprint: string;
  /**
   * When the last written of the files that are too large to be read whole was written, in
   * milliseconds since 1970; absent where every file was read whole.
   */
  partlyReadFrom?: number;
  /** SHA-256 of each text file, in the order given. */
  texts: string[];
}

/** The name of a class of errors whose objects do not pass between threads. */
export class ReadingError extends Error {
  constructor(
    /** For example `ReportFileError`. */
    override readonly name: string,
    message: string,
  ) {
    super(message);
  }
}
