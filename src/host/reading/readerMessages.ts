/** What passes between the extension and its reading thread: the calls of a `Reader`. */
import type { PackedReport } from "../../report/packedReport";
import type { CheckpointContent, Reader, TextFormat } from "./reader";

/** A report under its name, ready to pass. */
export interface PackedNamedReport {
  name: string;
  report: PackedReport;
}

/** `Reader`, with its reports packed. */
export interface PackedReader {
  readReport(file: string): Promise<PackedReport>;
  parseReport(bytes: Uint8Array): Promise<PackedReport>;
  writeReport(file: string, report: PackedReport): Promise<void>;
  readIndex: Reader["readIndex"];
  headlinesOf: Reader["headlinesOf"];
  reportContent(report: PackedReport, format: TextFormat, webview: string): Promise<Uint8Array>;
  comparisonContent(
    reports: readonly PackedNamedReport[],
    reference: number,
    format: TextFormat,
    webview: string,
  ): Promise<Uint8Array>;
  runContent: Reader["runContent"];
  contentOf(
    checkpoint: string,
    textFiles: readonly string[],
    fingerprints: string | undefined,
  ): Promise<CheckpointContent>;
  incompleteness: Reader["incompleteness"];
  directoryOf: Reader["directoryOf"];
  outlookOf: Reader["outlookOf"];
  statementOf: Reader["statementOf"];
  readLossLogs: Reader["readLossLogs"];
}
