/** What tells two runs apart at the same step of training, in sentences with numbers. */
import { t } from "@vscode/l10n";
import type { Report } from "../diagnosis/report";
import { figure, wholeNumber, withInterval } from "../report/format";
import { deepIdentityDistance, verdictCounts, type NamedRun } from "./runReport";

/** None until each of the two has a step that was measured. */
export function pairFindings(first: NamedRun, second: NamedRun): string[] {
  const common = commonSteps(first, second);
  const at = common.at(-1) ?? lastSteps(first, second);
  if (at === undefined) return [];
  return [
    varianceFinding(...at),
    growthFinding(...at),
    trainingFinding(common[0] ?? at, at),
    identityFinding(...at),
    depthFinding(...at),
    perplexityFinding(...at),
  ].filter((sentence) => sentence !== undefined);
}

interface Side {
  name: string;
  step: number;
  report: Report;
}

type Pair = [Side, Side];

/** The steps that both have measured, in the order of training. */
function commonSteps(first: NamedRun, second: NamedRun): Pair[] {
  const theirs = new Map(sidesOf(second).map((side) => [side.step, side]));
  return sidesOf(first).flatMap((side): Pair[] => {
    const same = theirs.get(side.step);
    return same ? [[side, same]] : [];
  });
}

function lastSteps(first: NamedRun, second: NamedRun): Pair | undefined {
  const [last, otherLast] = [sidesOf(first).at(-1), sidesOf(second).at(-1)];
  return last && otherLast ? [last, otherLast] : undefined;
}

function sidesOf({ name, run }: NamedRun): Side[] {
  return run.steps.flatMap(({ step, report, isPartial }) =>
    report && isPartial !== true ? [{ name, step, report }] : [],
  );
}

/** Where the two stand: `at step 2,600`, or the step of each. */
function stepWords(a: Side, b: Side): string {
  return a.step === b.step
    ? t("At step {0}", wholeNumber(a.step))
    : t(
        "At step {0} of {1} and step {2} of {3}",
        wholeNumber(a.step),
        a.name,
        wholeNumber(b.step),
        b.name,
      );
}

function varianceFinding(a: Side, b: Side): string | undefined {
  const [mine, theirs] = [ends(a.report), ends(b.report)];
  if (mine === undefined || theirs === undefined) return undefined;
  const ratio = mine.last.mean / theirs.last.mean;
  return t(
    "{0}, output variance after the last layer is {1} in {2} and {3} in {4}, a ratio of {5}.",
    stepWords(a, b),
    withInterval(mine.last.mean, mine.last.standardError),
    a.name,
    withInterval(theirs.last.mean, theirs.last.standardError),
    b.name,
    figure(ratio < 1 ? 1 / ratio : ratio),
  );
}

function growthFinding(a: Side, b: Side): string | undefined {
  const [mine, theirs] = [ends(a.report), ends(b.report)];
  if (mine === undefined || theirs === undefined) return undefined;
  return t(
    "From the first layer to the last, variance grows {0}-fold in {1} and {2}-fold in {3}.",
    figure(mine.last.mean / mine.first.mean),
    a.name,
    figure(theirs.last.mean / theirs.first.mean),
    b.name,
  );
}

/** Nothing where the two share one step at most. */
function trainingFinding(from: Pair, to: Pair): string | undefined {
  if (from[0].step === to[0].step) return undefined;
  const change = (place: 0 | 1): string | undefined => {
    const [before, after] = [ends(from[place].report), ends(to[place].report)];
    if (before === undefined || after === undefined) return undefined;
    const [first, last] = [before.last.mean, after.last.mean];
    return t("from {0} to {1} (×{2})", figure(first), figure(last), figure(last / first));
  };
  const [mine, theirs] = [change(0), change(1)];
  if (mine === undefined || theirs === undefined) return undefined;
  return t(
    "Between steps {0} and {1}, variance after the last layer goes {2} in {3} and {4} in {5}.",
    wholeNumber(from[0].step),
    wholeNumber(to[0].step),
    mine,
    to[0].name,
    theirs,
    to[1].name,
  );
}

function identityFinding(a: Side, b: Side): string | undefined {
  const [mine, theirs] = [deepIdentityDistance(a.report), deepIdentityDistance(b.report)];
  if (mine === undefined || theirs === undefined) return undefined;
  return t(
    "In the deeper half, the Jacobian's distance from the identity averages {0} in {1} and {2} in {3}.",
    figure(mine),
    a.name,
    figure(theirs),
    b.name,
  );
}

function depthFinding(a: Side, b: Side): string | undefined {
  const words = ({ report }: Side): string | undefined => {
    const counts = verdictCounts(report);
    if (counts === undefined) return undefined;
    const { needed, uncertain } = counts;
    return uncertain > 0
      ? t("{0} of {1} and perhaps {2} more", needed, report.layers.length, uncertain)
      : t("{0} of {1}", needed, report.layers.length);
  };
  const [mine, theirs] = [words(a), words(b)];
  if (mine === undefined || theirs === undefined) return undefined;
  return t(
    "Layers whose removal surely costs more than 1% perplexity: {0} in {1}, {2} in {3}.",
    mine,
    a.name,
    theirs,
    b.name,
  );
}

/** Nothing where the two were not evaluated on the same tokens: their losses say nothing of each other. */
function perplexityFinding(a: Side, b: Side): string | undefined {
  const [mine, theirs] = [a.report.baseline, b.report.baseline];
  if (mine?.perplexity === undefined || theirs?.perplexity === undefined) return undefined;
  if (a.report.evaluation.fingerprint !== b.report.evaluation.fingerprint) return undefined;
  return t(
    "Perplexity on the evaluated text is {0} in {1} and {2} in {3} (NLL {4} and {5} nats per token).",
    figure(mine.perplexity),
    a.name,
    figure(theirs.perplexity),
    b.name,
    withInterval(mine.nll, mine.standardError),
    withInterval(theirs.nll, theirs.standardError),
  );
}

type Variance = NonNullable<Report["layers"][number]["outputVariance"]>;

/** Output variance after the first and the last layer; undefined where one lacks. */
function ends({ layers }: Report): { first: Variance; last: Variance } | undefined {
  const [first, last] = [layers.at(0)?.outputVariance, layers.at(-1)?.outputVariance];
  return first && last && layers.length > 1 ? { first, last } : undefined;
}
