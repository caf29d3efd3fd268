/** What the table of the losses says, free of how it is shown. */
import { t } from "@vscode/l10n";
import { absent, figure, wholeNumber } from "../../src/report/format";
import type { NamedRun } from "../../src/trainingRun/runReport";
import { lossLines, type StepLine, type StepPoint } from "./runModel";

export interface LossTableWords {
  heads: string[];
  rows: { step: number; cells: string[] }[];
  /** What an absent figure means, and which steps are left out. */
  note: string;
}

/**
 * A column for each line of the chart. A figure stands only at the very step at which it was logged or
 * measured: the last one before would be a figure of another step.
 */
export function lossTable(runs: readonly NamedRun[], isPerplexity: boolean): LossTableWords {
  const lines = lossLines(runs, isPerplexity).filter(({ points }) => points.length > 0);
  const columns = lines.map(({ points }) => new Map(points.map((point) => [point.step, point])));
  const steps = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
  return {
    heads: [t("step"), ...lines.map(({ label }) => label)],
    rows: steps.map((step) => ({
      step,
      cells: columns.map((column, i) => cellOf(lines[i]!, column.get(step))),
    })),
    note: [
      t("{0}: not logged or not measured at that very step.", absent),
      ...runs.flatMap(leftOut),
    ].join(" "),
  };
}

function cellOf({ role }: StepLine, point: StepPoint | undefined): string {
  if (point === undefined) return absent;
  const { value, low, high } = point;
  return role === "measured" && high > low
    ? `${figure(value)} (${figure(low)} – ${figure(high)})`
    : figure(value);
}

function leftOut({ run }: NamedRun): string[] {
  return run.losses.flatMap(({ name, source, points, logged }) =>
    logged === undefined
      ? []
      : t(
          "{0} ({1}): {2} of {3} logged steps, among them the lowest and the highest of each stretch.",
          name,
          source,
          wholeNumber(points.length),
          wholeNumber(logged),
        ),
  );
}
