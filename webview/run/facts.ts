/** What stands below the name of a run. */
import { counted, familyName, largeCount, schemeName, wholeNumber } from "../../src/report/format";
import type { RunStepReport } from "../../src/trainingRun/runReport";

/** `LLaMA · Pre-LN · 12 layers · 134 million parameters · 4 checkpoints, steps 250 to 2,600` */
export function runFacts(steps: readonly RunStepReport[]): string {
  const report = steps.find((step) => step.report)?.report;
  const [first, last] = [steps.at(0), steps.at(-1)];
  return [
    ...(report
      ? [
          familyName(report.architecture.family),
          schemeName(report.architecture.normScheme),
          counted(report.architecture.layers, "layer"),
          `${largeCount(report.checkpoint.parameters)} parameters`,
        ]
      : []),
    ...(first && last
      ? [
          `${counted(steps.length, "checkpoint")}, steps ${wholeNumber(first.step)} to ${wholeNumber(last.step)}`,
        ]
      : []),
  ].join(" · ");
}
