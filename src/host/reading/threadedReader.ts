/**
 * Reads in a thread of its own, so that no file, however large, holds up the editor: the extension
 * host is one thread for all extensions.
 */
import type { Report } from "../../diagnosis/report";
import type { NamedReport } from "../../report/comparison";
import { packReport, unpackReport } from "../../report/packedReport";
import type { TrainingRun } from "../../trainingRun/discover";
import type { LossLogs } from "../../trainingRun/lossLogs";
import type { ExportedRun } from "../../trainingRun/runReport";
import type { DirectoryRequest, PackedDirectory } from "../../protocol/directory";
import type { Outlook } from "../../diagnosis/outlook";
import type { ReportHeadline } from "../reports/reportStore";
import { ThreadCalls } from "../threads/threadCalls";
import {
  ReadingError,
  type CheckpointContent,
  type FoundStatement,
  type Reader,
  type ReportFileHeadline,
  type TextFormat,
} from "./reader";
import type { PackedReader } from "./readerMessages";

/** A thread that nobody has asked for this long is ended; its memory is given back. */
const idleMs = 60_000;

export class ThreadedReader implements Reader {
  private readonly thread: ThreadCalls<PackedReader>;

  /** @param script the bundled thread, `dist/reader.js`; it starts with the first call */
  constructor(script: string) {
    const errorOf = (name: string, message: string): Error => new ReadingError(name, message);
    this.thread = new ThreadCalls({ script, idleMs, errorOf });
  }

  async readReport(file: string): Promise<Report> {
    return unpackReport(await this.thread.call("readReport", [file]));
  }

  async parseReport(bytes: Uint8Array): Promise<Report> {
    return unpackReport(await this.thread.call("parseReport", [bytes]));
  }

  writeReport(file: string, report: Report): Promise<void> {
    return this.thread.call("writeReport", [file, packReport(report)]);
  }

  readIndex(file: string): Promise<ReportHeadline[]> {
    return this.thread.call("readIndex", [file]);
  }

  headlinesOf(files: readonly string[], memory: string): Promise<ReportFileHeadline[]> {
    return this.thread.call("headlinesOf", [files, memory]);
  }

  reportContent(report: Report, format: TextFormat, webview: string): Promise<Uint8Array> {
    return this.thread.call("reportContent", [packReport(report), format, webview]);
  }

  comparisonContent(
    reports: readonly NamedReport[],
    reference: number,
    format: TextFormat,
    webview: string,
  ): Promise<Uint8Array> {
    const packed = reports.map(({ name, report }) => ({ name, report: packReport(report) }));
    return this.thread.call("comparisonContent", [packed, reference, format, webview]);
  }

  runContent(run: ExportedRun, format: TextFormat, webview: string): Promise<Uint8Array> {
    return this.thread.call("runContent", [run, format, webview]);
  }

  contentOf(
    checkpoint: string,
    textFiles: readonly string[],
    signal: AbortSignal,
    fingerprints?: string,
  ): Promise<CheckpointContent> {
    return this.thread.call("contentOf", [checkpoint, textFiles, fingerprints], signal);
  }

  incompleteness(checkpoint: string): Promise<string | undefined> {
    return this.thread.call("incompleteness", [checkpoint]);
  }

  directoryOf(checkpoint: string): Promise<PackedDirectory> {
    return this.thread.call("directoryOf", [checkpoint]);
  }

  outlookOf(request: DirectoryRequest): Promise<Outlook> {
    return this.thread.call("outlookOf", [request]);
  }

  statementOf(checkpoint: string): Promise<FoundStatement> {
    return this.thread.call("statementOf", [checkpoint]);
  }

  readLossLogs(run: TrainingRun): Promise<LossLogs> {
    return this.thread.call("readLossLogs", [run]);
  }

  dispose(): void {
    this.thread.dispose();
  }
}
