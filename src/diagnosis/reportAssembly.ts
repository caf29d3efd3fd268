import { createHash } from "node:crypto";
import { t } from "@vscode/l10n";
import type { Architecture } from "../architecture/description";
import type { Sequence } from "../text/documents";
import type { EvaluatedSequence } from "./objective";
import { whyNoLoss } from "./objective";
import { elementCount, parameterCount } from "../checkpoint/checkpoint";
import type { DiagnosisInput } from "./diagnose";
import { growthLaw } from "./growth";
import type { LayerMeasurement, Measurements } from "./measurements";
import { normSummaries } from "./normSummaries";
import type {
  DocumentFigures,
  EvaluationSummary,
  Finding,
  LayerDocuments,
  LayerReport,
  Metric,
  Report,
  RuntimeSummary,
} from "./report";
import type { StreamPart, SweepEnd } from "./sweep";

/** How far a diagnosis has come. */
export interface DiagnosisState {
  readonly measurements: Measurements;
  /** What was measured. */
  readonly sequences: readonly EvaluatedSequence[];
  /** How the last sweep ended; undefined while it goes on. */
  readonly end: SweepEnd | undefined;
  readonly notices: readonly string[];
  readonly runtime: RuntimeSummary;
}

/** The report of what has been measured so far. */
export function assembleReport(input: DiagnosisInput, state: DiagnosisState): Report {
  const { checkpoint, architecture } = input;
  const { measurements, sequences, notices, runtime } = state;
  const baseline = measurements.baselineEstimate();
  const layers = architecture.layers.map(({ path }, index) =>
    layerReport(input, state, index, path, baseline),
  );
  const growth = growthLaw(
    layers.flatMap(({ index, outputVariance }) =>
      outputVariance ? [{ index, variance: outputVariance.mean }] : [],
    ),
  );
  return {
    schemaVersion: 1,
    checkpoint: {
      path: checkpoint.path,
      format: checkpoint.format,
      bytes: checkpoint.bytes,
      parameters: parameterCount(checkpoint) - storedTwice(architecture),
      fingerprint: input.fingerprint,
    },
    architecture: {
      family: architecture.family,
      layers: architecture.layers.length,
      hiddenSize: architecture.hiddenSize,
      heads: architecture.heads,
      keyValueHeads: architecture.keyValueHeads,
      feedForwardSize: architecture.feedForwardSize,
      vocabularySize: architecture.vocabularySize,
      ...(architecture.contextLength !== undefined && {
        contextLength: architecture.contextLength,
      }),
      tiedHead: architecture.head?.tied ?? false,
      ...(architecture.stack && { stack: architecture.stack }),
      normScheme: architecture.scheme.name,
      normSchemeSource: architecture.scheme.source,
      norms: normSummaries(architecture),
      ...(input.reading && { reading: input.reading }),
    },
    evaluation: evaluationSummary(input, sequences),
    runtime,
    ...(baseline && { baseline }),
    ...(statesDocuments(state) && { documents: documentFigures(state) }),
    ...(growth && { growth }),
    layers,
    findings: noticeFindings(notices),
  };
}

/** Scalars that a checkpoint with a tied head holds under two names. */
function storedTwice({ head }: Architecture): number {
  return elementCount(head?.copy?.shape ?? [0]) + elementCount(head?.biasCopy?.shape ?? [0]);
}

export function noticeFindings(notices: readonly string[]): Finding[] {
  return notices.map((text) => ({ kind: "notice", layers: [], text }));
}

/** Reports of more documents than this would be mostly lists of documents. */
const mostDocuments = 1000;

/** Documents are stated once whole batches of them have been measured. */
function statesDocuments({ sequences, end }: DiagnosisState): boolean {
  return end?.kind === "done" && countDocuments(sequences) <= mostDocuments;
}

function documentFigures({ measurements, sequences }: DiagnosisState): DocumentFigures {
  const counts = new Map<number, { tokens: number; predictions: number }>();
  for (const { document, tokens, predictions } of sequences) {
    const known = counts.get(document) ?? { tokens: 0, predictions: 0 };
    counts.set(document, {
      tokens: known.tokens + tokens.length,
      predictions: known.predictions + predictions.length,
    });
  }
  const all = [...counts.values()];
  const nll = stated(measurements.baseline.documentMeans(), all.length);
  return {
    tokens: all.map(({ tokens }) => tokens),
    predictions: all.map(({ predictions }) => predictions),
    ...(nll && { nll }),
    layers: measurements.layers.map((layer) => layerDocuments(layer, all.length)),
  };
}

function layerDocuments(layer: LayerMeasurement, documents: number): LayerDocuments {
  const outputVariance = stated(layer.outputVariance.documentMeans(), documents);
  const squaredIdentityDistance = stated(layer.jacobian.squaredDistance.documentMeans(), documents);
  const deltaNll = stated(layer.removal.layer.documentMeans(), documents);
  return {
    ...(outputVariance && { outputVariance }),
    ...(squaredIdentityDistance && { squaredIdentityDistance }),
    ...(deltaNll && { deltaNll }),
  };
}

/** The figures if there is one for every document; seven digits are more than they are worth. */
function stated(means: readonly number[], documents: number): number[] | undefined {
  if (means.length !== documents || !means.every(Number.isFinite)) return undefined;
  return means.map((mean) => Number(mean.toPrecision(7)));
}

function countDocuments(sequences: readonly Sequence[]): number {
  return new Set(sequences.map(({ document }) => document)).size;
}

function evaluationSummary(
  input: DiagnosisInput,
  evaluated: readonly EvaluatedSequence[],
): EvaluationSummary {
  const ids = evaluated.map(({ tokens }) => tokens);
  const read = evaluated.flatMap(({ source }) => (source ? [source] : []));
  return {
    source: input.source,
    documents: countDocuments(evaluated),
    ...(evaluated.some(({ image }) => image) && { input: "images" as const }),
    sequences: evaluated.length,
    tokens: ids.reduce((sum, { length }) => sum + length, 0),
    sequenceLength: input.sequenceLength,
    plannedDocuments: countDocuments(input.sequences),
    plannedSequences: input.sequences.length,
    metrics: [...input.metrics],
    probes: input.probes,
    seed: input.seed,
    ...(!whyNoLoss(input.architecture) && { objective: input.architecture.objective.kind }),
    fingerprint: evaluated
      .reduce(
        (hash, { image }) => (image ? hash.update(image.pixels) : hash),
        createHash("sha256").update(JSON.stringify([...ids, ...read])),
      )
      .digest("hex"),
  };
}

function layerReport(
  { architecture, metrics }: DiagnosisInput,
  state: DiagnosisState,
  index: number,
  path: string,
  baseline: Report["baseline"],
): LayerReport {
  const layer = state.measurements.layers[index]!;
  const outputVariance = layer.outputVariance.statistics();
  const attention = layer.attention.contribution();
  const crossAttention = layer.crossAttention.contribution();
  const feedForward = layer.feedForward.contribution();
  const similarity = layer.similarity.estimate();
  const jacobian = layer.jacobianEstimate();
  const pruning = baseline && layer.pruningEstimate(baseline);
  const measured: Record<Metric, boolean> = {
    variance: outputVariance !== undefined,
    jacobian: jacobian !== undefined,
    pruning: pruning !== undefined,
    sublayers: pruning?.attention !== undefined,
  };
  const unmeasured = [...metrics]
    .filter((metric) => !measured[metric])
    .map((metric) => ({ metric, reason: whyAbsent(architecture, metric, index, state.end) }));
  return {
    index,
    path,
    ...(outputVariance && { outputVariance }),
    ...(attention &&
      feedForward && {
        attentionVariance: attention.variance.mean,
        ...(crossAttention && { crossAttentionVariance: crossAttention.variance.mean }),
        feedForwardVariance: feedForward.variance.mean,
        contribution: { attention, ...(crossAttention && { crossAttention }), feedForward },
      }),
    ...(jacobian && { jacobian }),
    ...(pruning && { pruning }),
    ...(similarity && {
      blockInfluence: 1 - similarity.mean,
      blockInfluenceStandardError: similarity.standardError,
    }),
    ...(unmeasured.length > 0 && { unmeasured }),
  };
}

function whyAbsent(
  architecture: Architecture,
  metric: Metric,
  index: number,
  end: SweepEnd | undefined,
): string {
  const needsHead = metric === "pruning" || metric === "sublayers";
  const noLoss = whyNoLoss(architecture);
  if (needsHead && noLoss !== undefined) return noLoss;
  if (end === undefined) return t("not measured yet");
  if (end.kind === "stopped") return t("the run was stopped before it was measured");
  if (end.kind === "nonFinite") {
    const isBeforeLayers = end.at === "encoder" || end.at === "embedding";
    return needsHead || isBeforeLayers || (typeof end.at === "number" && index >= end.at)
      ? t("activations are not finite from {0} on", streamPartName(architecture, end.at))
      : t("the run ended before it was measured");
  }
  return needsHead ? t("the loss is not finite without this layer") : t("the figure is not finite");
}

/** A layer by its path, the others in words. */
export function streamPartName({ layers }: Architecture, at: StreamPart): string {
  if (typeof at === "number") return layers[at]!.path;
  return { encoder: t("the encoder"), embedding: t("the embedding"), head: t("the head") }[at];
}
