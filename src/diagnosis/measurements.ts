import type { SublayerName } from "../architecture/description";
import type { LayerStreams } from "./layerRun";
import type { InnerProducts } from "./perToken";
import { cosines, normRatios, variances } from "./perToken";
import type {
  Baseline,
  Contribution,
  JacobianEstimate,
  PruningSensitivity,
  RemovalCost,
  TokenStatistics,
} from "./report";
import { concatenate, medianEstimate, ProbeMean, TokenMean } from "./statistics";

/** Which part of a layer a trajectory goes without. */
export type Part = "layer" | SublayerName;

/** Everything measured so far; sequences are added as their batches are swept. */
export class Measurements {
  readonly baseline = new TokenMean();
  readonly layers: readonly LayerMeasurement[];

  constructor(layers: number) {
    this.layers = Array.from({ length: layers }, () => new LayerMeasurement());
  }

  baselineEstimate(): Baseline | undefined {
    const estimate = this.baseline.estimate();
    if (estimate === undefined || !Number.isFinite(estimate.mean)) return undefined;
    const { mean: nll, ...error } = estimate;
    const perplexity = Math.exp(nll);
    return { nll, ...error, ...(Number.isFinite(perplexity) && { perplexity }) };
  }
}

/** One sequence's activations around a layer, each [tokens, width], padding cut off. */
export interface LayerActivations {
  /** Which document it is of. */
  readonly document: number;
  readonly tokens: number;
  readonly width: number;
  readonly input: Float32Array;
  readonly streams: LayerStreams;
}

export class LayerMeasurement {
  readonly outputVariance = new TokenSamples();
  readonly attention = new ContributionSamples();
  readonly crossAttention = new ContributionSamples();
  readonly feedForward = new ContributionSamples();
  readonly similarity = new TokenMean();
  /** ‖(J − I)v‖² / Td and ⟨v, Jv⟩ / (‖v‖‖Jv‖). */
  readonly jacobian = { squaredDistance: new ProbeMean(), cosine: new ProbeMean() };
  readonly removal: Readonly<Record<Part, TokenMean>> = {
    layer: new TokenMean(),
    attention: new TokenMean(),
    crossAttention: new TokenMean(),
    feedForward: new TokenMean(),
  };

  addActivations(activations: LayerActivations): void {
    const { document, tokens, width, input, streams } = activations;
    const { stream, attention, attentionBase, feedForward, feedForwardBase } = streams;
    const { crossAttention, crossAttentionBase } = streams;
    this.outputVariance.add(document, variances(stream, tokens, width));
    this.attention.add(document, attention, attentionBase, tokens, width);
    if (crossAttention && crossAttentionBase) {
      this.crossAttention.add(document, crossAttention, crossAttentionBase, tokens, width);
    }
    this.feedForward.add(document, feedForward, feedForwardBase, tokens, width);
    this.similarity.add(document, cosines(input, stream, tokens, width));
  }

  /** Adds one sequence's Jacobian-vector products: of each probe v (as a) and Jv (as b). */
  addProducts(document: number, products: readonly InnerProducts[]): void {
    this.jacobian.squaredDistance.add(
      document,
      products.map(({ distance, aa }) => distance / aa),
    );
    this.jacobian.cosine.add(
      document,
      products.map(({ aa, bb, ab }) => (bb === 0 ? 0 : ab / Math.sqrt(aa * bb))),
    );
  }

  /** ‖J − I‖_F / ‖I‖_F: the root of the mean square, its error by the delta method. */
  jacobianEstimate(): JacobianEstimate | undefined {
    const square = this.jacobian.squaredDistance.estimate();
    const cosine = this.jacobian.cosine.estimate();
    if (square === undefined || cosine === undefined || !Number.isFinite(square.mean)) {
      return undefined;
    }
    const distance = Math.sqrt(square.mean);
    return {
      identityDistance: distance,
      ...(square.standardError !== undefined && {
        standardError: distance === 0 ? 0 : square.standardError / (2 * distance),
      }),
      identityCosine: cosine.mean,
      ...(cosine.standardError !== undefined && {
        identityCosineStandardError: cosine.standardError,
      }),
    };
  }

  pruningEstimate(baseline: Baseline): PruningSensitivity | undefined {
    const cost = removalCost(this.removal.layer);
    if (cost === undefined) return undefined;
    const attention = removalCost(this.removal.attention);
    const crossAttention = removalCost(this.removal.crossAttention);
    const feedForward = removalCost(this.removal.feedForward);
    const deltaPerplexity = Math.exp(baseline.nll + cost.deltaNll) - Math.exp(baseline.nll);
    return {
      ...cost,
      ...(Number.isFinite(deltaPerplexity) && { deltaPerplexity }),
      ...(attention && { attention }),
      ...(crossAttention && { crossAttention }),
      ...(feedForward && { feedForward }),
    };
  }
}

function removalCost(differences: TokenMean): RemovalCost | undefined {
  const estimate = differences.estimate();
  if (estimate === undefined || !Number.isFinite(estimate.mean)) return undefined;
  const { mean: deltaNll, ...error } = estimate;
  return { deltaNll, ...error };
}

/** A per-token quantity kept token by token, for its median and for its mean without first tokens. */
class TokenSamples {
  private readonly all = new TokenMean();
  private readonly withoutFirst = new TokenMean();
  private readonly values = new Map<number, Float64Array[]>();

  add(document: number, values: Float64Array): void {
    this.all.add(document, values);
    this.withoutFirst.add(document, values.subarray(1));
    this.values.set(document, [...(this.values.get(document) ?? []), values]);
  }

  documentMeans(): number[] {
    return this.all.documentMeans();
  }

  statistics(): TokenStatistics | undefined {
    const all = this.all.estimate();
    if (all === undefined || !Number.isFinite(all.mean)) return undefined;
    const middle = medianEstimate([...this.values.values()].map(concatenate))!;
    const withoutFirst = this.withoutFirst.estimate();
    return {
      ...all,
      median: middle.mean,
      ...(middle.standardError !== undefined && { medianStandardError: middle.standardError }),
      ...(withoutFirst && { meanWithoutFirstToken: withoutFirst.mean }),
      ...(withoutFirst?.standardError !== undefined && {
        standardErrorWithoutFirstToken: withoutFirst.standardError,
      }),
    };
  }
}

class ContributionSamples {
  private readonly variance = new TokenSamples();
  private readonly normRatio = new TokenMean();
  private readonly cosine = new TokenMean();

  /** @param stream what the sublayer's output is added to */
  add(
    document: number,
    output: Float32Array,
    stream: Float32Array,
    tokens: number,
    width: number,
  ): void {
    this.variance.add(document, variances(output, tokens, width));
    this.normRatio.add(document, normRatios(output, stream, tokens, width));
    this.cosine.add(document, cosines(output, stream, tokens, width));
  }

  contribution(): Contribution | undefined {
    const variance = this.variance.statistics();
    const normRatio = this.normRatio.estimate();
    const cosine = this.cosine.estimate();
    if (!variance || !normRatio || !cosine) return undefined;
    return {
      variance,
      normRatio: normRatio.mean,
      ...(normRatio.standardError !== undefined && {
        normRatioStandardError: normRatio.standardError,
      }),
      cosine: cosine.mean,
      ...(cosine.standardError !== undefined && { cosineStandardError: cosine.standardError }),
    };
  }
}
