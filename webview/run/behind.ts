/** What stands behind the charts of a step: another step, and another run at about that step. */
import { t } from "@vscode/l10n";
import { wholeNumber } from "../../src/report/format";
import type { RunReport, RunStepReport } from "../../src/trainingRun/runReport";
import type { RunNavigation } from "./navigation";

/** A report, and what to call it. */
export interface Behind {
  label: string;
  role: "ghost" | "otherRun";
  report: NonNullable<RunStepReport["report"]>;
}

/** Another run that is laid beside this one. */
export interface OtherRun {
  name: string;
  run: RunReport;
}

/** @param at index of the step that is looked at */
export function behindStep(
  steps: readonly RunStepReport[],
  at: number,
  ghost: RunNavigation["ghost"],
  other: OtherRun | undefined,
): Behind[] {
  const index = ghostIndex(steps, at, ghost);
  const entry = index === at ? undefined : steps[index];
  const behind: Behind[] = entry?.report
    ? [{ label: t("step {0}", wholeNumber(entry.step)), role: "ghost", report: entry.report }]
    : [];
  const wanted = steps[at]?.step;
  const measured = (other?.run.steps ?? []).flatMap(({ step, report }) =>
    report ? [{ step, report }] : [],
  );
  if (wanted === undefined || measured.length === 0) return behind;
  const nearest = measured.reduce((a, b) =>
    Math.abs(b.step - wanted) < Math.abs(a.step - wanted) ? b : a,
  );
  const label = t("{0}, step {1}", other?.name ?? "", wholeNumber(nearest.step));
  return [...behind, { label, role: "otherRun", report: nearest.report }];
}

/** −1 for none. */
function ghostIndex(
  steps: readonly RunStepReport[],
  at: number,
  ghost: RunNavigation["ghost"],
): number {
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
