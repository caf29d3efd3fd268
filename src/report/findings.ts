/** The verdict in plain sentences, each carrying the numbers it rests on. */
import type { Finding, GrowthLaw, LayerReport, Report } from "../diagnosis/report";
import { median, rankCorrelation } from "../diagnosis/statistics";
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
  // Of the first few layers, another law may seem to fit than of all.
  if (growth === undefined || measured.length < layers.length) return undefined;
  if (first === undefined || last === undefined || first === last) return undefined;
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

/**
 * How far from the identity the deeper half is, compared with the shallower one: by the median, since
 * the first layer alone, which reads bare embeddings, is often farther than all others together.
 */
function identityFinding({ layers }: Report): Finding | undefined {
  const measured = layers.filter((layer) => layer.jacobian !== undefined);
  if (measured.length < 2 || measured.length < layers.length) return undefined;
  const half = Math.floor(layers.length / 2);
  const distance = (layer: LayerReport): number => layer.jacobian!.identityDistance;
  const middle = (some: readonly LayerReport[]): string =>
    figure(median(Float64Array.from(some, distance))!);
  const shallow = measured.slice(0, half);
  const deep = measured.slice(half);
  const closest = measured.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  const farthest = measured.reduce((a, b) => (distance(b) > distance(a) ? b : a));
  return {
    kind: "identity",
    layers: deep.map(({ index }) => index),
    text: `The Jacobian's distance to the identity has a median of ${middle(shallow)} in ${named(shallow)} and of ${middle(deep)} in ${named(deep)}; it is least in layer ${closest.index} (${figure(distance(closest))}) and greatest in layer ${farthest.index} (${figure(distance(farthest))})${agreement(measured)}.`,
  };
}

/** Whether the layers nearest to the identity are the cheapest to remove; the two need not agree. */
function agreement(layers: readonly LayerReport[]): string {
  const removable = layers.filter((layer) => layer.pruning !== undefined);
  const correlation = rankCorrelation(
    removable.map((layer) => layer.jacobian!.identityDistance),
    removable.map((layer) => layer.pruning!.deltaNll),
  );
  if (removable.length < layers.length || correlation === undefined) return "";
  return `; its ranks correlate by ${correlation.toFixed(2).replace("-", "−")} with those of the removal costs`;
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
      : `${free.length} of ${layers.length} layers can ${free.length === 1 ? "" : "each "}be removed for less than ${percent} perplexity (${named(free)}); the cheapest, layer ${cheapest.index}, costs ${cost}.`;
  const doubt =
    uncertain.length === 0 ? "" : `; of ${named(uncertain)} the error bars leave it open`;
  return {
    kind: "removal",
    layers: free.map(({ index }) => index),
    text: `${removable} The model effectively uses ${needed.length} of ${layers.length} layers, since removing any one of them costs more than ${percent} (by the lower 95% bound)${doubt}.`,
  };
}

const percent = `${freeThreshold * 100}%`;

function named(layers: readonly LayerReport[]): string {
  return namedLayers(layers.map(({ index }) => index));
}
