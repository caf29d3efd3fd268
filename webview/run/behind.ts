/** What stands behind the charts of a step: another step, and another run at about that step. */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import type { NamedRun, RunReport, RunStepReport } from "../../src/trainingRun/runReport";
import type { Ghost } from "./navigation";

/** A report, and what to call it. */
export interface Behind {
  label: string;
  role: "ghost" | "otherRun";
  report: NonNullable<RunStepReport["report"]>;
}

/** @param at index of the step that is looked at */
export function behindStep(
  steps: readonly RunStepReport[],
  at: number,
  ghost: Ghost,
  other: NamedRun | undefined,
): Behind[] {
  const index = ghostIndex(steps, at, ghost);
  const entry = index === at ? undefined : steps[index];
  const behind: Behind[] = entry?.report
    ? [{ label: t("step {0}", wholeNumber(entry.step)), role: "ghost", report: entry.report }]
    : [];
  const nearest = other && nearestMeasured(other.run, steps[at]?.step);
  if (!nearest?.report) return behind;
  const label = t("{0}, step {1}", other?.name ?? "", wholeNumber(nearest.step));
  return [...behind, { label, role: "otherRun", report: nearest.report }];
}

/** The step that has a report and is nearest to a step of another run. */
export function nearestMeasured(
  { steps }: RunReport,
  wanted: number | undefined,
): RunStepReport | undefined {
  const measured = steps.filter(({ report }) => report);
  if (wanted === undefined) return undefined;
  return measured.reduce<RunStepReport | undefined>(
    (a, b) => (a && Math.abs(a.step - wanted) <= Math.abs(b.step - wanted) ? a : b),
    undefined,
  );
}

/** −1 for none. */
function ghostIndex(steps: readonly RunStepReport[], at: number, ghost: Ghost): number {
  switch (ghost) {
    case "first":
      return steps.findIndex(({ report }) => report);
    case "previous":
      return at - 1;
    case "none":
      return -1;
    default:
      return steps.findIndex(({ step }) => step === ghost);
  }
}
