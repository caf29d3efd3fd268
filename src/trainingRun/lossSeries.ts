/** The losses that a training run wrote down, whatever it wrote them into. */

export interface LossSeries {
  /** As the log calls it: `loss`, `eval_loss`, `train/loss`. */
  name: string;
  /** Where it was found, from the run's folder. */
  source: string;
  /** `heldOut` where its name says that it was not measured on the training text. */
  kind: "training" | "heldOut";
  /** By rising step, no two of one; values are finite. */
  points: LossPoint[];
  /** How many points the log holds, where these are only some of them. */
  logged?: number;
}

export interface LossPoint {
  step: number;
  value: number;
}

/** True for the names that losses go by: `loss`, `train/loss`, `eval_loss`, `lm_loss_mean`. */
export function isLossName(name: string): boolean {
  // `lossless` and `loss_scale` are none, nor are the bounds that exported charts add.
  return /(?:^|[^a-z])(?:loss|nll)(?![a-z])/i.test(spaced(name)) && !notLosses.test(name);
}

/** What a log's column or key for the step is called, best first. */
export function stepKeyOf(names: readonly string[]): string | undefined {
  const plain = (name: string): string =>
    spaced(name)
      .toLowerCase()
      .replace(/[^a-z]+/g, "");
  for (const wanted of stepNames) {
    const found = names.find((name) => plain(name) === wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A series of points in any order; of several at one step the last stands. */
export function lossSeries(name: string, source: string, points: Iterable<LossPoint>): LossSeries {
  const byStep = new Map<number, number>();
  for (const { step, value } of points) byStep.set(step, value);
  return {
    name,
    source,
    kind: heldOutName.test(spaced(name)) ? "heldOut" : "training",
    points: [...byStep].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step),
  };
}

/**
 * At most `count` points with the same look: from each stretch of steps its lowest and its highest,
 * so that no spike is lost.
 */
export function thinned<Point extends LossPoint>(points: readonly Point[], count: number): Point[] {
  if (points.length <= count) return [...points];
  const stretches = Math.max(1, Math.floor(count / 2));
  return Array.from({ length: stretches }, (_, i) => {
    const from = Math.floor((i * points.length) / stretches);
    const to = Math.floor(((i + 1) * points.length) / stretches);
    const stretch = points.slice(from, to);
    const low = stretch.reduce((a, b) => (b.value < a.value ? b : a));
    const high = stretch.reduce((a, b) => (b.value > a.value ? b : a));
    if (low === high) return [low];
    return low.step < high.step ? [low, high] : [high, low];
  }).flat();
}

/**
 * Series that keep their look and together no more than `count` points, at least four of each. What
 * one keeps of a step, all keep that have logged it: a step that one lacks was not logged there.
 */
export function thinnedTogether(series: readonly LossSeries[], count: number): LossSeries[] {
  if (sizeOf(series) <= count) return [...series];
  // Even of each other's steps so many fit; with these many not even the longest fits by itself.
  let fitting = Math.max(4, Math.floor(count / series.length ** 2));
  let excessive = Math.min(Math.max(...series.map(({ points }) => points.length)), 2 * count + 2);
  let kept = keptOf(series, fitting);
  // How many steps they have in common is seen when it is tried.
  while (excessive > Math.max(fitting + 1, fitting * nearEnough)) {
    const ofEach = Math.ceil(Math.sqrt(fitting * excessive));
    const next = keptOf(series, ofEach);
    if (sizeOf(next) <= count) [fitting, kept] = [ofEach, next];
    else excessive = ofEach;
  }
  return kept;
}

/** Each thinned to so many points of its own, and beside them those at the steps of the others'. */
function keptOf(series: readonly LossSeries[], ofEach: number): LossSeries[] {
  const steps = new Set(
    series.flatMap(({ points }) => thinned(points, ofEach).map(({ step }) => step)),
  );
  return series.map((one) => {
    const points = one.points.filter(({ step }) => steps.has(step));
    return points.length < one.points.length
      ? { ...one, points, logged: one.points.length }
      : { ...one, points };
  });
}

function sizeOf(series: readonly LossSeries[]): number {
  return series.reduce((sum, { points }) => sum + points.length, 0);
}

/** Words of a camel-cased name apart, and nothing else changed. */
function spaced(name: string): string {
  return name.replace(/([a-z])(?=[A-Z])/g, "$1_");
}

/** Between two numbers of points of this ratio nobody sees a difference. */
const nearEnough = 1.1;

const stepNames = [
  "updatestep",
  "step",
  "globalstep",
  "steps",
  "iteration",
  "iter",
  "iterations",
  "iters",
  "itnum",
];
const notLosses = /loss[-_ ]?scale|__(?:MIN|MAX)$/i;
const heldOutName = /(?:^|[^a-z])(?:eval|val|valid|validation|dev|test|held[-_ ]?out)(?![a-z])/i;
