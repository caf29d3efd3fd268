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
    factor >= 1
      ? `grows by a factor of ${figure(factor)}`
      : `falls to ${figure(100 * factor)}% of its value`;
  const { exponential, power } = growth;
  const laws = [
    {
      r2: exponential.r2,
      name: `exponential law (× ${figure(Math.exp(exponential.rate))} a layer, R² ${exponential.r2.toFixed(2)})`,
    },
    {
      r2: power.r2,
      name: `power law (∝ ℓ^${figure(power.exponent)}, R² ${power.r2.toFixed(2)})`,
    },
  ].sort((a, b) => b.r2 - a.r2);
  return {
    kind: "growth",
    layers: measured.map(({ index }) => index),
    text: `The residual stream's variance ${change}, from ${figure(from)} after layer ${first.index} to ${figure(to)} after layer ${last.index}; of two laws the ${laws[0]!.name} fits it better than the ${laws[1]!.name}.`,
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
    text: `The Jacobian's distance to the identity averages ${figure(mean(measured.slice(0, half)))} over layers 0–${half - 1} and ${figure(mean(deep))} over layers ${half}–${layers.length - 1}; layer ${closest.index} is the closest at ${figure(distance(closest))} (0 would change nothing).`,
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
      ? `No layer can be removed for surely less than 1% perplexity; the cheapest is layer ${cheapest.index} at ${cost}.`
      : `${free.length} of ${layers.length} layers can each be removed for less than 1% perplexity (${named(free)}); the cheapest is layer ${cheapest.index} at ${cost}.`;
  const doubt =
    uncertain.length === 0
      ? ""
      : `, and ${uncertain.length} more are uncertain (${named(uncertain)})`;
  return {
    kind: "removal",
    layers: free.map(({ index }) => index),
    text: `${removable} The model effectively uses ${needed.length} of its ${layers.length} layers${doubt}; a layer counts as used when the lower 95% bound of what its removal costs exceeds 1%.`,
  };
}

function named(layers: readonly LayerReport[]): string {
  const indices = layers.map(({ index }) => index);
  return `${layers.length === 1 ? "layer" : "layers"} ${layerList(indices)}`;
}
