/** Reports that are really made of documents and tokens: every figure is what its tokens say. */
import type { LayerReport, Report } from "../../../src/diagnosis/report";
import { ProbeMean, TokenMean } from "../../../src/diagnosis/statistics";
import { sampleReport } from "./sampleReport";

/** What one report was measured from: by document, then by token or probe. */
export interface RawMeasurements {
  /** [document][token] */
  nll: number[][];
  layers: {
    variance: number[][];
    /** [document][probe] */
    squaredDistance: number[][];
    deltaNll: number[][];
  }[];
}

/** Made-up measurements; `random` gives numbers between 0 and 1. */
export function rawMeasurements(
  random: () => number,
  options: { layers: number; lengths: readonly number[]; probes?: number; scale?: number },
): RawMeasurements {
  const { layers, lengths, probes = 2, scale = 1 } = options;
  const tokens = (length: number, value: () => number) => Array.from({ length }, value);
  const perDocument = (value: (document: number) => number[]) =>
    lengths.map((_, document) => value(document));
  // What a document does to every figure of it.
  const difficulty = lengths.map(() => 0.5 + random());
  return {
    nll: perDocument((n) =>
      tokens(Math.max(0, lengths[n]! - 1), () => scale * difficulty[n]! * (1 + random())),
    ),
    layers: Array.from({ length: layers }, (_, layer) => ({
      variance: perDocument((n) =>
        tokens(lengths[n]!, () => scale * (layer + 1) * difficulty[n]! * (0.5 + random())),
      ),
      squaredDistance: perDocument((n) =>
        tokens(probes, () => (scale * difficulty[n]! * (0.5 + random())) / (layer + 1)),
      ),
      deltaNll: perDocument((n) =>
        tokens(Math.max(0, lengths[n]! - 1), () => scale * 0.1 * difficulty[n]! * (random() - 0.2)),
      ),
    })),
  };
}

/** The report that a diagnosis would have made of these measurements. */
export function measuredReport(raw: RawMeasurements): Report {
  const base = sampleReport({ layers: raw.layers.length });
  const means = (documents: readonly (readonly number[])[]) => {
    const mean = new TokenMean();
    for (const [n, document] of documents.entries()) mean.add(n, document);
    return { estimate: mean.estimate(), documents: mean.documentMeans() };
  };
  const nll = means(raw.nll);
  const lengths = raw.layers[0]!.variance.map((document) => document.length);
  const figures = raw.layers.map((layer) => {
    const square = new ProbeMean();
    for (const [n, probes] of layer.squaredDistance.entries()) square.add(n, probes);
    return {
      variance: means(layer.variance),
      square: { estimate: square.estimate()!, documents: square.documentMeans() },
      deltaNll: means(layer.deltaNll),
    };
  });
  const layers = figures.map(({ variance, square, deltaNll }, index): LayerReport => {
    const distance = Math.sqrt(square.estimate.mean);
    const error = square.estimate.standardError;
    const cost = deltaNll.estimate;
    return {
      index,
      path: `model.layers.${index}`,
      outputVariance: { ...variance.estimate!, median: variance.estimate!.mean },
      jacobian: {
        identityDistance: distance,
        ...(error !== undefined && { standardError: error / (2 * distance) }),
        identityCosine: 1,
      },
      ...(cost && {
        pruning: {
          deltaNll: cost.mean,
          ...(cost.standardError !== undefined && { standardError: cost.standardError }),
        },
      }),
    };
  });
  return {
    ...without(base, "baseline"),
    evaluation: {
      ...base.evaluation,
      documents: lengths.length,
      tokens: lengths.reduce((sum, length) => sum + length, 0),
      metrics: ["variance", "jacobian", "pruning"],
      fingerprint: lengths.join(" "),
    },
    ...(nll.estimate && {
      baseline: {
        nll: nll.estimate.mean,
        ...(nll.estimate.standardError !== undefined && {
          standardError: nll.estimate.standardError,
        }),
        perplexity: Math.exp(nll.estimate.mean),
      },
    }),
    documents: {
      tokens: lengths,
      nll: nll.documents,
      layers: figures.map(({ variance, square, deltaNll }) => ({
        outputVariance: variance.documents,
        squaredIdentityDistance: square.documents,
        deltaNll: deltaNll.documents,
      })),
    },
    layers,
  };
}

/** The same without one of its optional parts. */
export function without<Whole extends object, Key extends keyof Whole>(
  whole: Whole,
  key: Key,
): Omit<Whole, Key> {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key)) as Omit<
    Whole,
    Key
  >;
}
