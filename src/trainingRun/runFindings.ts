/** What happened between the first and the last step that were measured, in sentences with numbers. */
import type { Report } from "../diagnosis/report";
import { figure, wholeNumber, withInterval } from "../report/format";
import { deepIdentityDistance, verdictCounts, type RunStepReport } from "./runReport";

export function runFindings(steps: readonly RunStepReport[]): string[] {
  const measured = steps.flatMap(({ step, report, isPartial }) =>
    report && isPartial !== true ? [{ step, report }] : [],
  );
  const first = measured.at(0);
  const last = measured.at(-1);
  if (first === undefined || last === undefined || first === last) return [];
  return [
    perplexityFinding(first, last),
    varianceFinding(first, last),
    identityFinding(first, last),
    depthFinding(first, last),
  ].filter((sentence) => sentence !== undefined);
}

interface Step {
  step: number;
  report: Report;
}

function perplexityFinding(first: Step, last: Step): string | undefined {
  const [before, after] = [first.report.baseline, last.report.baseline];
  if (before?.perplexity === undefined || after?.perplexity === undefined) return undefined;
  return `From step ${wholeNumber(first.step)} to step ${wholeNumber(last.step)}, perplexity on the evaluated text goes from ${figure(before.perplexity)} to ${figure(after.perplexity)} (NLL ${withInterval(before.nll, before.standardError)} to ${withInterval(after.nll, after.standardError)} nats per token).`;
}

function varianceFinding(first: Step, last: Step): string | undefined {
  const variances = (
    at: "first" | "last",
  ): { index: number; from: number; to: number } | undefined => {
    const index = at === "first" ? 0 : last.report.layers.length - 1;
    const from = first.report.layers[index]?.outputVariance?.mean;
    const to = last.report.layers[index]?.outputVariance?.mean;
    return from === undefined || to === undefined ? undefined : { index, from, to };
  };
  const shallow = variances("first");
  const deep = variances("last");
  if (shallow === undefined || deep === undefined || shallow.index === deep.index) return undefined;
  const change = ({ from, to }: { from: number; to: number }): string =>
    `from ${figure(from)} to ${figure(to)} (×${figure(to / from)})`;
  return `Output variance after layer ${deep.index} goes ${change(deep)}, after layer ${shallow.index} ${change(shallow)}.`;
}

function identityFinding(first: Step, last: Step): string | undefined {
  const before = deepIdentityDistance(first.report);
  const after = deepIdentityDistance(last.report);
  if (before === undefined || after === undefined) return undefined;
  return `In the deeper half, the Jacobian's distance from the identity averages ${figure(before)} at first and ${figure(after)} at last.`;
}

function depthFinding(first: Step, last: Step): string | undefined {
  const [before, after] = [verdictCounts(first.report), verdictCounts(last.report)];
  if (before === undefined || after === undefined) return undefined;
  const words = ({ needed, uncertain }: typeof before, { report }: Step): string =>
    `${needed} of ${report.layers.length}${uncertain > 0 ? ` and perhaps ${uncertain} more` : ""}`;
  return `Layers whose removal surely costs more than 1% perplexity: ${words(before, first)} at first, ${words(after, last)} at last.`;
}
