/** The verdict in plain sentences, each carrying the numbers it rests on. */
import { t } from "@vscode/l10n";
import type { Finding, GrowthLaw, LayerReport, Report } from "../diagnosis/report";
import { median, rankCorrelation } from "../diagnosis/statistics";
import { isOfImages } from "./evaluation";
import { figure, namedLayers, perplexityCost } from "./format";
import { english, languageInUse } from "./texts";
import { freeThreshold, verdictOf } from "./verdict";

/** The findings a report's figures bear; kinds whose figures are absent are left out. */
export function findingsOf(report: Report): Finding[] {
  return [
    chanceFinding(report),
    growthFinding(report),
    identityFinding(report),
    removalFinding(report),
  ].filter((finding) => finding !== undefined);
}

/**
 * The sentences that the report's findings are; notices are not among them. Those of a report in
 * another language are made anew from its figures, as far as it has them.
 */
export function verdictSentences(report: Report | undefined): string[] {
  const told = (report?.findings ?? []).filter(({ kind }) => kind !== "notice");
  if (report === undefined || (report.language ?? english) === languageInUse()) {
    return told.map(({ text }) => text);
  }
  const own = new Map(findingsOf(report).map(({ kind, text }) => [kind, text]));
  return told.map(({ kind, text }) => own.get(kind) ?? text);
}

/** A loss this many times that of a blind guess is not that of a model reading its own kind of text. */
const worseThanChance = 1.05;

/** Says so where a model predicts worse than one that guesses blindly. */
function chanceFinding({ architecture, baseline, evaluation }: Report): Finding | undefined {
  const blind = Math.log(architecture.vocabularySize);
  if (baseline === undefined || baseline.nll <= worseThanChance * blind) return undefined;
  const figures = [figure(baseline.nll), architecture.vocabularySize, figure(blind)] as const;
  return {
    kind: "chance",
    layers: [],
    text: isOfImages(evaluation)
      ? t(
          "The model predicts worse than a blind guess: {0} nats an image, where guessing among all {1} classes alike costs {2}. Its images, how they are normalised, their labels or how it was read do not belong to it, and what a removal costs says little.",
          ...figures,
        )
      : t(
          "The model predicts worse than a blind guess: {0} nats a token, where guessing among all {1} alike costs {2}. Its text, its tokens or how it was read do not belong to it, and what a removal costs says little.",
          ...figures,
        ),
  };
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
  return {
    kind: "growth",
    layers: measured.map(({ index }) => index),
    text: changeText(
      to / from,
      [figure(from), first.index, figure(to), last.index],
      betterLaw(growth, measured.length),
    ),
  };
}

/** What the variance did between its ends. One that is the same to three digits does not grow. */
function changeText(
  factor: number,
  ends: readonly [from: string, first: number, to: string, last: number],
  law: string,
): string {
  const percent = figure(100 * factor);
  if (percent === figure(100)) {
    return t("Variance does not grow: it is {0} after layer {1} and {2} after layer {3}.", ...ends);
  }
  return factor > 1
    ? t(
        "Variance grows {0}-fold, from {1} after layer {2} to {3} after layer {4}; {5}.",
        figure(factor),
        ...ends,
        law,
      )
    : t(
        "Variance falls to {0}% of its value, from {1} after layer {2} to {3} after layer {4}; {5}.",
        percent,
        ...ends,
        law,
      );
}

/** Two laws whose R² differ by less than this are not told apart. */
const distinctR2 = 0.005;

/** Which law fits better. That growth is exponential is said only when that fit wins. */
function betterLaw({ exponential, power }: GrowthLaw, layers: number): string {
  const r2 = (law: { r2: number }): string => law.r2.toFixed(3);
  if (layers < 3 || Math.abs(exponential.r2 - power.r2) < distinctR2) {
    return t(
      "a power of depth (R² {0}) and a constant factor a layer (R² {1}) fit it equally well",
      r2(power),
      r2(exponential),
    );
  }
  return power.r2 > exponential.r2
    ? t(
        "a power of depth (∝ ℓ^{0}, R² {1}) fits it better than a constant factor a layer (R² {2})",
        figure(power.exponent),
        r2(power),
        r2(exponential),
      )
    : exponential.rate > 0
      ? t(
          "exponential growth (× {0} a layer, R² {1}) fits it better than a power of depth (R² {2})",
          perLayer(exponential.rate),
          r2(exponential),
          r2(power),
        )
      : t(
          "exponential decay (× {0} a layer, R² {1}) fits it better than a power of depth (R² {2})",
          perLayer(exponential.rate),
          r2(exponential),
          r2(power),
        );
}

/** The factor of a rate, with as many digits as tell it from 1. */
function perLayer(rate: number): string {
  const factor = Math.exp(rate);
  const difference = Math.abs(factor - 1);
  if (difference === 0 || figure(factor) !== figure(1)) return figure(factor);
  return factor.toFixed(1 + Math.ceil(-Math.log10(difference)));
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
  const figures = [
    middle(shallow),
    named(shallow),
    middle(deep),
    named(deep),
    closest.index,
    figure(distance(closest)),
    farthest.index,
    figure(distance(farthest)),
  ] as const;
  const correlation = agreement(measured);
  return {
    kind: "identity",
    layers: deep.map(({ index }) => index),
    text:
      correlation === undefined
        ? t(
            "The Jacobian's distance to the identity has a median of {0} in {1} and of {2} in {3}; it is least in layer {4} ({5}) and greatest in layer {6} ({7}).",
            ...figures,
          )
        : t(
            "The Jacobian's distance to the identity has a median of {0} in {1} and of {2} in {3}; it is least in layer {4} ({5}) and greatest in layer {6} ({7}); its ranks correlate by {8} with those of the removal costs.",
            ...figures,
            correlation,
          ),
  };
}

/**
 * Whether the layers nearest to the identity are the cheapest to remove; the two need not agree. The
 * rank correlation, where every layer has both figures.
 */
function agreement(layers: readonly LayerReport[]): string | undefined {
  const removable = layers.filter((layer) => layer.pruning !== undefined);
  const correlation = rankCorrelation(
    removable.map((layer) => layer.jacobian!.identityDistance),
    removable.map((layer) => layer.pruning!.deltaNll),
  );
  if (removable.length < layers.length || correlation === undefined) return undefined;
  return correlation.toFixed(2).replace("-", "−");
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
  const some = [free.length, layers.length, percent, named(free), cheapestText(judged)] as const;
  const removable =
    free.length === 0
      ? t(
          "No layer is surely removable for less than {0} perplexity; {1}.",
          percent,
          cheapestText(judged),
        )
      : free.length === 1
        ? t("{0} of {1} layers can be removed for less than {2} perplexity ({3}); {4}.", ...some)
        : t(
            "{0} of {1} layers can each be removed for less than {2} perplexity ({3}); {4}.",
            ...some,
          );
  const used = [needed.length, layers.length, percent] as const;
  const effective =
    needed.length === 0
      ? t("Of no layer is it sure that its removal costs more than {0}.", percent)
      : uncertain.length === 0
        ? t(
            "The model effectively uses {0} of {1} layers, since removing any one of them costs more than {2} (by the lower 95% bound).",
            ...used,
          )
        : t(
            "The model effectively uses {0} of {1} layers, since removing any one of them costs more than {2} (by the lower 95% bound); of {3} the error bars leave it open.",
            ...used,
            named(uncertain),
          );
  return {
    kind: "removal",
    layers: free.map(({ index }) => index),
    text: `${removable} ${effective}`,
  };
}

/** The layer that costs least; what an improvement is worth is said as one, without its sign. */
function cheapestText(layers: readonly LayerReport[]): string {
  const { index, pruning } = layers.reduce((a, b) =>
    b.pruning!.deltaNll < a.pruning!.deltaNll ? b : a,
  );
  const cost = perplexityCost(pruning!);
  if (cost.startsWith("−")) {
    return t("removing layer {0} improves it by {1}", index, cost.slice(1));
  }
  return t("the cheapest, layer {0}, costs {1}", index, cost);
}

const percent = `${freeThreshold * 100}%`;

function named(layers: readonly LayerReport[]): string {
  return namedLayers(layers.map(({ index }) => index));
}
