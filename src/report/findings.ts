/** The verdict in plain sentences, each carrying the numbers it rests on. */
import type { Finding, LayerReport, Report } from "../diagnosis/report";
import { figure, layerList, perplexityCost } from "./format";
import { verdictOf } from "./verdict";

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
  const { exponential, power } = growth;
  const laws = [
    {
      r2: exponential.r2,
      name: `exponential law (× ${figure(Math.exp(exponential.rate))} a layer`,
    },
    { r2: power.r2, name: `power law (∝ ℓ^${figure(power.exponent)}` },
  ]
    .sort((left, right) => right.r2 - left.r2)
    .map(({ r2, name }) => `${name}, R² ${r2.toFixed(3)})`);
  return {
    kind: "growth",
    layers: measured.map(({ index }) => index),
    text: `Variance ${change}, from ${figure(from)} after layer ${first.index} to ${figure(to)} after layer ${last.index}; the ${laws[0]!} fits better than the ${laws[1]!}.`,
  };
}

/** How far from the identity the deeper half is, compared with the shallower one. */
function identityFinding({ layers }: Report): Finding | undefined {
  const measured = layers.filter((layer) => layer.jacobian !== undefined);
  if (measured.length < 2 || measured.length < layers.length) return undefined;
  const half = Math.floor(layers.length / 2);
  const distance = (layer: LayerReport): number => layer.jacobian!.identityDistance;
  const mean = (some: readonly LayerReport[]): number =>
    some.reduce((sum, layer) => sum + distance(layer), 0) / some.length;
  const deep = measured.slice(half);
  const closest = measured.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  return {
    kind: "identity",
    layers: deep.map(({ index }) => index),
    text: `The Jacobian's distance to the identity averages ${figure(mean(measured.slice(0, half)))} in layers 0–${half - 1} and ${figure(mean(deep))} in layers ${half}–${layers.length - 1}; layer ${closest.index} is the closest at ${figure(distance(closest))}.`,
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
      ? `No layer is surely removable for less than 1% perplexity; the cheapest, layer ${cheapest.index}, costs ${cost}.`
      : `${free.length} of ${layers.length} layers can each be removed for less than 1% perplexity (${named(free)}); the cheapest, layer ${cheapest.index}, costs ${cost}.`;
  const doubt =
    uncertain.length === 0 ? "" : ` and perhaps ${uncertain.length} more (${named(uncertain)})`;
  return {
    kind: "removal",
    layers: free.map(({ index }) => index),
    text: `${removable} The model effectively uses ${needed.length} of ${layers.length} layers${doubt}: those whose removal surely costs more than 1%, by the 95% bounds.`,
  };
}

function named(layers: readonly LayerReport[]): string {
  const indices = layers.map(({ index }) => index);
  return `${layers.length === 1 ? "layer" : "layers"} ${layerList(indices)}`;
}
