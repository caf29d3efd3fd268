/** A report in a few figures: what a list of reports shows of each, without the reports. */
import type { Report } from "../diagnosis/report";
import { verdictOf } from "./verdict";

export interface Headline {
  checkpointPath: string;
  /** Of the checkpoint's content. */
  fingerprint?: string;
  /** How long the measurement took. */
  seconds: number;
  family: string;
  scheme: string;
  layers: number;
  perplexity?: number;
  /** By the verdict rule; absent where no layer could be judged. */
  freeLayers?: number;
  neededLayers?: number;
  /** Output variance of the first and the last layer that has one. */
  variance?: { first: number; last: number };
}

export function headlineOf(report: Report): Headline {
  const { checkpoint, architecture, baseline, runtime } = report;
  const verdicts = report.layers
    .map((layer) => verdictOf(layer, baseline))
    .filter((verdict) => verdict !== undefined);
  const variances = report.layers.flatMap(({ outputVariance }) => outputVariance?.mean ?? []);
  const [first, last] = [variances.at(0), variances.at(-1)];
  return {
    checkpointPath: checkpoint.path,
    ...(checkpoint.fingerprint !== undefined && { fingerprint: checkpoint.fingerprint }),
    seconds: runtime.seconds,
    family: architecture.family,
    scheme: architecture.normScheme,
    layers: architecture.layers,
    ...(baseline?.perplexity !== undefined && { perplexity: baseline.perplexity }),
    ...(verdicts.length > 0 && {
      freeLayers: verdicts.filter((verdict) => verdict === "free").length,
      neededLayers: verdicts.filter((verdict) => verdict === "needed").length,
    }),
    ...(first !== undefined && last !== undefined && { variance: { first, last } }),
  };
}
