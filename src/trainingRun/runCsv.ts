/**
 * A run as CSV (RFC 4180): one row per step and layer, with the columns of the report of a checkpoint
 * behind the step, its name and the loss that was measured. A step without a report has one row,
 * which says why in its last column. Of two runs, each row begins with the name of its own.
 */
import { csvColumns, csvRow } from "../report/csv";
import type { ExportedRun, RunReport, RunStepReport } from "./runReport";

export const runCsvColumns: readonly string[] = [
  "step",
  "checkpoint",
  "baseline.nll",
  "baseline.standardError",
  ...csvColumns.map(({ name }) => name),
];

export function runCsv({ other, ...shown }: ExportedRun): string {
  const rows = other
    ? [
        ["run", ...runCsvColumns],
        ...[shown, other].flatMap(({ name, run }) => rowsOf(run).map((row) => [name, ...row])),
      ]
    : [runCsvColumns, ...rowsOf(shown.run)];
  return rows.map(csvRow).join("");
}

type Field = number | string | undefined;

function rowsOf({ steps }: RunReport): Field[][] {
  return steps.flatMap(stepRows);
}

function stepRows({ step, name, report, failure }: RunStepReport): Field[][] {
  if (report === undefined) {
    const empty = csvColumns.slice(1).map(() => undefined);
    return [[step, name, undefined, undefined, ...empty, failure ?? "not measured"]];
  }
  const { baseline } = report;
  return report.layers.map((layer) => [
    step,
    name,
    baseline?.nll,
    baseline?.standardError,
    ...csvColumns.map(({ value }) => value(layer)),
  ]);
}
