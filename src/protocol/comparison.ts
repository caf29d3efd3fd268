/** What crosses between the host and the comparison's webview. Types only. */
import type { NamedReport } from "../report/comparison";
import type { PackedReport } from "../report/packedReport";
import type { ExportFormat } from "./messages";

export interface HostToComparison {
  type: "reports";
  reports: (NamedReport | { name: string; report: PackedReport })[];
  /** What was compared, for a window that is opened again. */
  targets: string[];
}

export type ComparisonToHost =
  | { type: "ready" }
  /** `png` is the page as a `data:image/png;base64,…` URL, for that format only. */
  | { type: "export"; format: ExportFormat; reference: number; png?: string }
  | { type: "failed"; message: string };
