/** What crosses between the host and the comparison's webview. Types only. */
import type { Report } from "../diagnosis/report";
import type { PackedReport } from "../report/packedReport";
import type { ExportFormat } from "./messages";

/** One of the compared; its place among them stays its own while others are still to come. */
export interface ComparedReport<Form = Report> {
  name: string;
  /** Absent until there is one. */
  report?: Form;
}

/** Where the comparison stands. */
export interface ComparisonStatus {
  /** `done` and `cancelled` alike may have left some without a report. */
  phase: "running" | "done" | "cancelled";
  /** Share of the compared that is done, 0 … 1. */
  fraction: number;
  /** One for each of the compared. */
  standings: Standing[];
}

export type Standing =
  | { kind: "ready" }
  | { kind: "waiting" }
  /** `doing` says how far its diagnosis is. */
  | { kind: "measuring"; doing: string }
  /** Nobody has asked for it, or no longer. */
  | { kind: "missing" }
  | { kind: "failed"; reason: string };

export type HostToComparison =
  /** `source` is kept by the page, for a window that is opened again. */
  | {
      type: "reports";
      compared: ComparedReport<Report | PackedReport>[];
      status: ComparisonStatus;
      source: { targets: string[] };
    }
  /** The report at one place; absent where there is none any more. */
  | { type: "report"; place: number; report?: Report | PackedReport; status: ComparisonStatus }
  | { type: "status"; status: ComparisonStatus };

export type ComparisonToHost =
  | { type: "ready" }
  /** Stops the diagnosis under way; what has been measured stays. */
  | { type: "cancel" }
  /** Measures what is missing. */
  | { type: "resume" }
  /**
   * `reference` is a place among the compared; `png` is the page as a `data:image/png;base64,…` URL,
   * for that format only.
   */
  | { type: "export"; format: ExportFormat; reference: number; png?: string }
  | { type: "failed"; message: string };
