/** The verdict in plain sentences, each carrying the numbers it rests on. */
import type { Finding, GrowthLaw, LayerReport, Report } from "../diagnosis/report";
import { figure, namedLayers, perplexityCost } from "./format";
import { freeThreshold, verdictOf } from "./verdict";

/** The findings a report's figures bear; kinds whose figures are absent are left out. */
export function findingsOf(report: Report): Finding[] {
  return [growthFinding(report), identityFinding(report), removalFinding(report)].filter(
    (finding) => finding !== undefined,
  );
}

/** What the variance did from the first to the last layer, and which law fits it better. */
function growthFinding({ growth, layers }: Report): Finding | undefined {
  const measured = layers.filter((layer) => layer.outputVariance !== undefined);
  const first = measured.at(0);
  const last = measured.at(-1);
  if (growth === undefined || first === undefined || last === undefined || first === last) {
    return undefined;
  }
  const from = first.outputVariance!.mean;
  const to = last.outputVariance!.mean;
  const factor = to / from;
  const change =
    factor >= 1 ? `grows ${figure(factor)}-fold` : `falls to ${figure(100 * factor)}% of its value`;
  return {
    kind: "growth",
    layers: measured.map(({ index }) => index),
    text: `Variance ${change}, from ${figure(from)} after layer ${first.index} to ${figure(to)} after layer ${last.index}; ${betterLaw(growth, measured.length)}.`,
  };
}

/** Two laws whose R² differ by less than this are not told apart. */
const distinctR2 = 0.005;

/** Which law fits better. That growth is exponential is said only when that fit wins. */
function betterLaw({ exponential, power }: GrowthLaw, layers: number): string {
  const r2 = (law: { r2: number }): string => `R² ${law.r2.toFixed(3)}`;
  if (layers < 3 || Math.abs(exponential.r2 - power.r2) < distinctR2) {
    return `a power of depth (${r2(power)}) and a constant factor a layer (${r2(exponential)}) fit it equally well`;
  }
  return power.r2 > exponential.r2
    ? `a power of depth (∝ ℓ^${figure(power.exponent)}, ${r2(power)}) fits it better than a constant factor a layer (${r2(exponential)})`
    : `exponential growth (× ${figure(Math.exp(exponential.rate))} a layer, ${r2(exponential)}) fits it better than a power of depth (${r2(power)})`;
}

/** How far from the identity the deeper half is, compared with the shallower one. */
function identityFinding({ layers }: Report): Finding | undefined {
  const measured = layers.filter((layer) => layer.jacobian !== undefined);
  if (measured.length < 2 || measured.length < layers.length) return undefined;
  const half = Math.floor(layers.length / 2);
  const distance = (layer: LayerReport): number => layer.jacobian!.identityDistance;
  const mean = (some: readonly LayerReport[]): number =>
    some.reduce((sum, layer) => sum + distance(layer), 0) / some.length;
  const shallow = measured.slice(0, half);
  const deep = measured.slice(half);
  const closest = measured.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return {
    kind: "identity",
    layers: deep.map(({ index }) => index),
    text: `The Jacobian's distance to the identity averages ${figure(mean(shallow))} in ${named(shallow)} and ${figure(mean(deep))} in ${named(deep)}; layer ${closest.index} is the closest at ${figure(distance(closest))}.`,
  };
}

/** Which layers can go and at what cost, and how many the model uses, by the verdict rule. */
function removalFinding(report: Report): Finding | undefined {
  const { baseline, layers } = report;
  const judged = layers.filter((layer) => verdictOf(layer, baseline) !== undefined);
  if (baseline === undefined || judged.length < layers.length) return undefined;
  const having = (verdict: string): LayerReport[] =>
    judged.filter((layer) => verdictOf(layer, baseline) === verdict);
  const free = having("free");
  const needed = having("needed");
  const uncertain = having("uncertain");
  const cheapest = judged.reduce((a, b) => (b.pruning!.deltaNll < a.pruning!.deltaNll ? b : a));
  const cost = perplexityCost(cheapest.pruning!);
  const removable =
    free.length === 0
      ? `No layer is surely removable for less than ${percent} perplexity; the cheapest, layer ${cheapest.index}, costs ${cost}.`
      : `${free.length} of ${layers.length} layers can each be removed for less than ${percent} perplexity (${named(free)}); the cheapest, layer ${cheapest.index}, costs ${cost}.`;
  const doubt =
    uncertain.length === 0 ? "" : ` and perhaps ${uncertain.length} more (${named(uncertain)})`;
  return {
    kind: "removal",
    layers: free.map(({ index }) => index),
    text: `${removable} The model effectively uses ${needed.length} of ${layers.length} layers${doubt}: those whose removal surely costs more than ${percent}, by the 95% bounds.`,
  };
}

const percent = `${freeThreshold * 100}%`;

function named(layers: readonly LayerReport[]): string {
  return namedLayers(layers.map(({ index }) => index));
}
