/** What passes between the extension and its reading thread: calls of a `Reader` and their answers. */
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

export type ReaderMethod = keyof PackedReader;

export type ToReader =
  | { type: "call"; id: number; method: ReaderMethod; input: readonly unknown[] }
  /** What the call would answer is of no interest any more. */
  | { type: "abort"; id: number };

export type FromReader =
  | { id: number; ok: true; output: unknown }
  | { id: number; ok: false; name: string; message: string };
