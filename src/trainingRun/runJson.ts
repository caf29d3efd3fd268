/** A run as JSON: its report, and in `other` the run that lies beside it. */
import type { ExportedRun } from "./runReport";

export function runJson({ run, other }: ExportedRun): string {
  return `${JSON.stringify(other ? { ...run, other } : run, null, 2)}\n`;
}
