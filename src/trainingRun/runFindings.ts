/** What happened between the first and the last step that were measured, in sentences with numbers. */
import { t } from "@vscode/l10n";
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
  return t(
    "From step {0} to step {1}, perplexity on the evaluated text goes from {2} to {3} (NLL {4} to {5} nats per token).",
    wholeNumber(first.step),
    wholeNumber(last.step),
    figure(before.perplexity),
    figure(after.perplexity),
    withInterval(before.nll, before.standardError),
    withInterval(after.nll, after.standardError),
  );
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
    t("from {0} to {1} (×{2})", figure(from), figure(to), figure(to / from));
  return t(
    "Output variance after layer {0} goes {1}, after layer {2} {3}.",
    deep.index,
    change(deep),
    shallow.index,
    change(shallow),
  );
}

function identityFinding(first: Step, last: Step): string | undefined {
  const before = deepIdentityDistance(first.report);
  const after = deepIdentityDistance(last.report);
  if (before === undefined || after === undefined) return undefined;
  return t(
    "In the deeper half, the Jacobian's distance from the identity averages {0} at first and {1} at last.",
    figure(before),
    figure(after),
  );
}

function depthFinding(first: Step, last: Step): string | undefined {
  const [before, after] = [verdictCounts(first.report), verdictCounts(last.report)];
  if (before === undefined || after === undefined) return undefined;
  const words = ({ needed, uncertain }: typeof before, { report }: Step): string =>
    uncertain > 0
      ? t("{0} of {1} and perhaps {2} more", needed, report.layers.length, uncertain)
      : t("{0} of {1}", needed, report.layers.length);
  return t(
    "Layers whose removal surely costs more than 1% perplexity: {0} at first, {1} at last.",
    words(before, first),
    words(after, last),
  );
}
