/** Reports with the shape of real ones, made up from a seed: for tests and for looking at views. */
import type { Finding, LayerReport, Metric, Report } from "../../../src/diagnosis/report";

export interface SampleOptions {
  layers: number;
  scheme?: "pre-ln" | "lns";
  seed?: number;
  /** Layers that have been measured so far; all unless given. */
  measured?: number;
  /** False before the head has run: no removal cost is known yet. */
  pruning?: boolean;
  /** Layers whose Jacobian could not be taken. */
  withoutJacobian?: number[];
}

export function sampleReport(options: SampleOptions): Report {
  const { layers, scheme = "pre-ln", seed = 1, measured = layers, pruning = true } = options;
  const random = lehmer(seed);
  const all = Array.from({ length: layers }, (_, index) =>
    sampleLayer(index, layers, scheme, random),
  );
  const known = all.map((layer): LayerReport => {
    const pending = (metrics: readonly Metric[]) =>
      metrics.map((metric) => ({ metric, reason: "not measured yet" }));
    if (layer.index >= measured)
      return {
        index: layer.index,
        path: layer.path,
        unmeasured: pending(["variance", "jacobian", "pruning", "sublayers"]),
      };
    const { pruning: cost, jacobian, ...rest } = layer;
    const hasJacobian = options.withoutJacobian?.includes(layer.index) !== true;
    const unmeasured = [
      ...(pruning ? [] : pending(["pruning", "sublayers"])),
      ...(hasJacobian ? [] : [overflow]),
    ];
    return {
      ...rest,
      ...(pruning && { pruning: cost }),
      ...(hasJacobian && { jacobian }),
      ...(unmeasured.length > 0 && { unmeasured }),
    };
  });
  const complete = pruning && measured === layers;
  return {
    schemaVersion: 1,
    checkpoint: {
      path: `/home/ada/runs/llama-${layers === 12 ? "130m" : "1b"}-${scheme}`,
      format: "safetensors",
      bytes: 2_680_112_640,
      parameters: layers === 12 ? 134_105_856 : 1_339_081_728,
      fingerprint: seed.toString(16).padStart(64, "0"),
    },
    architecture: {
      family: "llama",
      layers,
      hiddenSize: 2048,
      heads: 16,
      keyValueHeads: 16,
      feedForwardSize: 5461,
      vocabularySize: 32000,
      contextLength: 2048,
      tiedHead: false,
      normScheme: scheme,
      normSchemeSource: scheme === "lns" ? "config key use_lns" : "default of the family",
      norms: [
        { path: "model.layers.*.input_layernorm", feeds: "attention", place: "before" },
        { path: "model.layers.*.post_attention_layernorm", feeds: "feedForward", place: "before" },
        { path: "model.norm", feeds: "head", place: "before" },
      ],
    },
    evaluation: {
      source: "default text",
      documents: complete ? sampleDocuments : 16,
      tokens: complete ? 24_576 : 8_192,
      sequenceLength: 512,
      plannedDocuments: sampleDocuments,
      metrics: ["variance", "jacobian", "pruning", "sublayers"],
      probes: 8,
      seed: 1,
      fingerprint: "e".repeat(64),
    },
    runtime: { device: "cpu", threads: 8, seconds: 194.3, peakMemoryBytes: 2_147_483_648 },
    ...(pruning ? { baseline: { nll: 2.834, standardError: 0.021, perplexity: 17.02 } } : {}),
    ...(complete && {
      documents: {
        tokens: Array.from({ length: sampleDocuments }, () => 512),
        predictions: Array.from({ length: sampleDocuments }, () => 511),
        nll: perDocument(2.834, 0.05),
        layers: known.map(({ outputVariance, jacobian, pruning: cost }) => ({
          ...(outputVariance && { outputVariance: perDocument(outputVariance.mean, 0.24) }),
          ...(jacobian && {
            squaredIdentityDistance: perDocument(jacobian.identityDistance ** 2, 0.2),
          }),
          ...(cost && { deltaNll: perDocument(cost.deltaNll, 0.35) }),
        })),
      },
    }),
    ...(measured >= 2 ? { growth: growthOf(known) } : {}),
    layers: known,
    findings: complete ? sampleFindings(layers) : [],
  };
}

/** The same of a decoder whose layers attend to an encoder too. */
export function withCrossAttention(report: Report): Report {
  const { architecture, layers } = report;
  const norm = { path: "model.layers.*.cross_attention_norm", feeds: "crossAttention" } as const;
  return {
    ...report,
    architecture: {
      ...architecture,
      stack: "decoder",
      norms: [...(architecture.norms ?? []), norm],
    },
    layers: layers.map((layer) => {
      const { contribution, pruning, attentionVariance } = layer;
      return {
        ...layer,
        ...(attentionVariance !== undefined && { crossAttentionVariance: attentionVariance }),
        ...(contribution && {
          contribution: { ...contribution, crossAttention: contribution.attention },
        }),
        ...(pruning?.attention && { pruning: { ...pruning, crossAttention: pruning.attention } }),
      };
    }),
  };
}

const overflow: { metric: Metric; reason: string } = {
  metric: "jacobian",
  reason: "the tangent overflowed fp32 in 3 of 48 documents",
};

function sampleLayer(
  index: number,
  layers: number,
  scheme: "pre-ln" | "lns",
  random: () => number,
): Required<Omit<LayerReport, "unmeasured" | "crossAttentionVariance">> {
  const depth = index / Math.max(1, layers - 1);
  const jitter = () => 1 + 0.12 * (random() - 0.5);
  const mean =
    scheme === "lns"
      ? 0.41 * (index + 1) ** 0.55 * jitter()
      : 0.41 * Math.exp(6.1 * depth ** 0.9) * jitter();
  const distance =
    (scheme === "lns" ? 0.62 - 0.22 * depth : 0.07 + 0.85 * Math.exp(-3.1 * depth)) * jitter();
  const bowl = scheme === "lns" ? 0.05 : 0.0035 + 0.9 * Math.exp(-9 * depth);
  const deltaNll =
    (index === 0 ? 5.1 : index === layers - 1 ? 0.62 : bowl * (1 + 0.9 * (random() - 0.5))) *
    jitter();
  const cost = { deltaNll, standardError: 0.0011 + 0.05 * deltaNll };
  const part = (share: number) => ({
    deltaNll: deltaNll * share,
    standardError: 0.001 + 0.05 * deltaNll * share,
  });
  const contribution = (share: number) => ({
    variance: {
      mean: mean * share,
      standardError: mean * share * 0.02,
      median: mean * share * 0.9,
      medianStandardError: mean * share * 0.03,
      meanWithoutFirstToken: mean * share * 0.85,
      standardErrorWithoutFirstToken: mean * share * 0.02,
    },
    normRatio: share,
    normRatioStandardError: share * 0.02,
    cosine: 0.31 - 0.2 * depth,
    cosineStandardError: 0.004,
  });
  return {
    index,
    path: `model.layers.${index}`,
    outputVariance: {
      mean,
      standardError: mean * 0.035,
      median: mean * 0.91,
      medianStandardError: mean * 0.04,
      meanWithoutFirstToken: mean * 0.83,
      standardErrorWithoutFirstToken: mean * 0.03,
    },
    attentionVariance: mean * 0.11,
    feedForwardVariance: mean * 0.2,
    contribution: { attention: contribution(0.11), feedForward: contribution(0.2) },
    jacobian: {
      identityDistance: distance,
      standardError: 0.006 + 0.02 * distance,
      identityCosine: 1 / Math.sqrt(1 + distance ** 2),
      identityCosineStandardError: 0.003,
    },
    pruning: {
      ...cost,
      deltaPerplexity: 17.02 * (Math.exp(deltaNll) - 1),
      attention: part(0.35),
      feedForward: part(0.55),
    },
    blockInfluence: distance ** 2 / 2,
    blockInfluenceStandardError: 0.004,
  };
}

const sampleDocuments = 48;

/** Values around a mean, the same spread over the documents for every figure. */
function perDocument(mean: number, spread: number): number[] {
  return Array.from(
    { length: sampleDocuments },
    (_, document) => mean * (1 + spread * Math.sqrt(2) * Math.sin(document * 2.4)),
  );
}

/** Least squares of log σ² on the index and on log ℓ, as the diagnosis does it. */
function growthOf(layers: LayerReport[]): NonNullable<Report["growth"]> {
  const points = layers.flatMap((layer) =>
    layer.outputVariance ? [{ i: layer.index, y: Math.log(layer.outputVariance.mean) }] : [],
  );
  const exponential = leastSquares(points.map(({ i, y }) => [i, y]));
  const power = leastSquares(points.map(({ i, y }) => [Math.log(i + 1), y]));
  return {
    exponential: {
      rate: exponential.slope,
      intercept: exponential.intercept,
      r2: exponential.r2,
      standardError: 0.01,
    },
    power: { exponent: power.slope, intercept: power.intercept, r2: power.r2, standardError: 0.05 },
  };
}

function leastSquares(points: [number, number][]) {
  const n = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / n;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / n;
  const sxy = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const sxx = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = sxy / sxx;
  const intercept = meanY - slope * meanX;
  const residual = points.reduce((sum, [x, y]) => sum + (y - intercept - slope * x) ** 2, 0);
  const total = points.reduce((sum, [, y]) => sum + (y - meanY) ** 2, 0);
  return { slope, intercept, r2: total > 0 ? 1 - residual / total : 1 };
}

function sampleFindings(layers: number): Finding[] {
  return [
    {
      kind: "removal",
      layers: [Math.floor(layers * 0.8)],
      text:
        `${Math.round(layers * 0.3)} of ${layers} layers can each be removed for less than +1% perplexity; ` +
        `removing layer ${Math.floor(layers * 0.8)} costs +0.3% (±0.2).`,
    },
    {
      kind: "growth",
      layers: [],
      text: `The residual stream's variance grows from 0.41 after layer 0 to 183 after layer ${layers - 1}, closest to an exponential of rate 0.20 per layer (R² 0.99).`,
    },
    {
      kind: "identity",
      layers: [],
      text: `The distance of a layer's Jacobian from the identity falls from 0.93 to 0.11 (±0.01).`,
    },
    {
      kind: "notice",
      layers: [],
      text: "The norm scheme is the family's default; the config does not state one.",
    },
  ];
}

/** A multiplicative congruential generator: the same report on every machine. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
