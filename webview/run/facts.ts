/** What stands below the names of runs. */
import { t } from "@vscode/l10n";
import {
  counted,
  familyName,
  parameterCount,
  schemeName,
  wholeNumber,
} from "../../src/report/format";
import type { NamedRun, RunStepReport } from "../../src/trainingRun/runReport";

/** One line for each run; where there are two, each begins with its name. */
export function runsFacts(runs: readonly NamedRun[]): string[] {
  return runs.map(({ name, run: { steps } }) =>
    runs.length > 1 ? `${name}: ${runFacts(steps)}` : runFacts(steps),
  );
}

/** `LLaMA · Pre-LN · 12 layers · 134 million parameters · 4 checkpoints, steps 250 to 2,600` */
function runFacts(steps: readonly RunStepReport[]): string {
  const report = steps.find((step) => step.report)?.report;
  const [first, last] = [steps.at(0), steps.at(-1)];
  return [
    ...(report
      ? [
          familyName(report.architecture.family),
          schemeName(report.architecture.normScheme),
          counted(report.architecture.layers, "layer"),
          parameterCount(report.checkpoint.parameters),
        ]
      : []),
    ...(first && last ? [extent(steps.length, first.step, last.step)] : []),
  ].join(" · ");
}

function extent(count: number, first: number, last: number): string {
  const checkpoints = counted(count, "checkpoint");
  return first === last
    ? t("{0}, step {1}", checkpoints, wholeNumber(first))
    : t("{0}, steps {1} to {2}", checkpoints, wholeNumber(first), wholeNumber(last));
}
