import type { Architecture } from "../architecture/description";
import { tensorsOf } from "../architecture/description";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { findNonFinite } from "../checkpoint/finite";
import type { Executor } from "../engine/executor";
import { layerGraph } from "../graph/layer";
import type { Sequence } from "../text/documents";
import { activationBytes, weightBytes } from "../graph/memory";
import { Measurements } from "./measurements";
import type { EvaluatedSequence } from "./objective";
import { evaluatedSequences, whyNoLoss } from "./objective";
import type { Metric, ReadingSummary, Report, RuntimeSummary } from "./report";
import { assembleReport, noticeFindings } from "./reportAssembly";
import type { StreamPart, SweepEnd } from "./sweep";
import { tangentCost } from "./layerRun";
import { sweep } from "./sweep";

export interface DiagnosisInput {
  readonly checkpoint: Checkpoint;
  /** Of the checkpoint's content. */
  readonly fingerprint: string;
  readonly architecture: Architecture;
  /** How that was found out, for the report. */
  readonly reading?: ReadingSummary;
  readonly sequences: readonly Sequence[];
  /** Where they came from, for the report. */
  readonly source: string;
  readonly sequenceLength: number;
  readonly metrics: ReadonlySet<Metric>;
  readonly probes: number;
  readonly seed: number;
  /** Memory that weights and activations may take together, in bytes. */
  readonly memoryBytes: number;
}

/** What a diagnosis tells while it goes on. */
export interface DiagnosisObserver {
  /** Called before each layer, the embedding and the head of each batch; "stop" ends the run early. */
  readonly onStage: (stage: DiagnosisStage) => Promise<"go on" | "stop">;
  readonly onWork: (fraction: number) => void;
  /** A whole report of what has been measured so far. */
  readonly onReport: (report: Report) => void;
  readonly onNotice: (text: string) => void;
}

export interface DiagnosisStage {
  readonly part: StreamPart;
  /** Batch, from 1, of how many. */
  readonly batch: number;
  readonly batches: number;
}

/**
 * Measures every layer of a checkpoint, batch of sequences after batch. After the first batch every
 * figure is there with its standard error, and each further batch narrows it; stopping early keeps
 * what whole batches have measured (or, within the first batch, what its layers have).
 *
 * @param runtime how the run stands: device, time and memory, asked for each report
 */
export async function diagnose(
  input: DiagnosisInput,
  executor: Executor,
  runtime: () => RuntimeSummary,
  observer: DiagnosisObserver,
): Promise<Report> {
  const { architecture } = input;
  const measurements = new Measurements(architecture.layers.length);
  // Without predictions there is no loss for a removal to change.
  const metrics = whyNoLoss(architecture) ? withoutRemovals(input.metrics) : input.metrics;
  const evaluated = evaluatedSequences(input.sequences, architecture, input.seed);
  const { batches, runBytes } = planBatches({ ...input, metrics }, evaluated);
  const total = batches.reduce(
    (sum, batch) => sum + batchCost({ ...input, metrics }, batch.length),
    0,
  );
  let done = 0;
  let measuredSequences = 0;
  let latest: Report | undefined;
  /** Where the stream left the finite numbers in the first batch; later ones are swept up to there. */
  let overflow: StreamPart | undefined;
  const notices: string[] = [];

  const assemble = (measured: number, end: SweepEnd | undefined): Report => {
    const sequences = evaluated.slice(0, measured);
    return assembleReport(input, { measurements, sequences, end, notices, runtime: runtime() });
  };
  for (const [number, batch] of batches.entries()) {
    const isFirst = number === 0;
    const end = await sweep(
      architecture,
      batch,
      executor,
      {
        metrics: overflow === undefined ? metrics : withoutRemovals(metrics),
        probes: input.probes,
        seed: input.seed,
        runBytes,
        ...(overflow !== undefined && { upTo: overflow }),
      },
      measurements,
      {
        onStage: (part) => observer.onStage({ part, batch: number + 1, batches: batches.length }),
        onWork: (cost) => {
          done += cost;
          observer.onWork(Math.min(1, done / total));
        },
        onLayerMeasured: () => {
          // Later batches would mix layers measured on more sequences with layers measured on fewer.
          if (isFirst) observer.onReport(assemble(batch.length, undefined));
        },
      },
    );
    if (end.kind === "stopped") {
      return latest === undefined ? assemble(batch.length, end) : { ...latest, runtime: runtime() };
    }
    if (end.kind === "nonFinite" && end.at !== overflow) {
      const cause = await explainNonFinite(input, end.at);
      const notice = isFirst
        ? cause
        : `${cause} This was met after ${measuredSequences} of ${input.sequences.length} sequences, whose figures stand.`;
      notices.push(notice);
      observer.onNotice(notice);
      if (latest !== undefined) {
        return { ...latest, runtime: runtime(), findings: noticeFindings(notices) };
      }
      overflow = end.at;
    }
    measuredSequences += batch.length;
    latest = assemble(measuredSequences, end);
    observer.onReport(latest);
  }
  const unused = overflow === undefined ? await findUnusedNonFinite(input) : undefined;
  if (unused !== undefined) {
    notices.push(unused);
    observer.onNotice(unused);
  }
  return { ...latest!, runtime: runtime(), findings: noticeFindings(notices) };
}

function withoutRemovals(metrics: ReadonlySet<Metric>): ReadonlySet<Metric> {
  return new Set([...metrics].filter((metric) => metric !== "pruning" && metric !== "sublayers"));
}

/** Activations of one run take at most this share of the memory that weights leave. */
const runShare = 0.4;

/**
 * Building a layer's session takes as long as running the layer on about this many tokens (measured
 * on layers of 16 MB to 900 MB).
 */
const loadCostInTokens = 1500;
/** Share of a run that may be spent on showing a whole picture early. */
const previewShare = 0.1;

/**
 * Cuts the sequences into batches, as large as memory allows. The first is a quarter of all, so that
 * a whole picture stands early, unless loading every layer once more for that would cost too much.
 */
function planBatches(
  input: DiagnosisInput,
  sequences: readonly EvaluatedSequence[],
): { batches: EvaluatedSequence[][]; runBytes: number } {
  const { architecture, metrics } = input;
  const hiddenBytes = architecture.hiddenSize * 4;
  const layerBytes = Math.max(
    ...architecture.layers.map((layer) =>
      weightBytes(layerGraph(layer, architecture.hiddenSize, false)),
    ),
  );
  const forActivations = input.memoryBytes - layerBytes;
  const runBytes = forActivations * runShare;
  const removalsPerLayer = metrics.has("pruning") ? (metrics.has("sublayers") ? 3 : 1) : 0;
  // The baseline's input, output, and both sides of its two sums stand beside the trajectories.
  const streams = 6 + removalsPerLayer * architecture.layers.length;
  const longest = sequences.reduce((most, { tokens }) => Math.max(most, tokens.length), 0);
  const sequenceBytes = streams * longest * hiddenBytes;
  const smallestRun = activationBytes(
    layerGraph(architecture.layers[0]!, architecture.hiddenSize, false),
    { batch: 1, sequence: longest },
  );
  const least = layerBytes + sequenceBytes + smallestRun;
  if (least > input.memoryBytes) {
    throw new MemoryError(
      `${input.checkpoint.path}: one layer and one sequence of ${longest} tokens take ${mebibytes(least)}; the memory budget is ${mebibytes(input.memoryBytes)}. A larger budget or a smaller sequence length helps.`,
    );
  }
  const most = Math.max(1, Math.floor((forActivations - runBytes) / sequenceBytes));
  const tokensPerLayer =
    (batchCost(input, sequences.length) / architecture.layers.length) * longest;
  const isPreviewCheap = loadCostInTokens < previewShare * tokensPerLayer;
  const first = Math.min(
    most,
    isPreviewCheap ? Math.max(2, Math.ceil(sequences.length / 4)) : sequences.length,
  );

  const batches = [sequences.slice(0, first)];
  for (let from = first; from < sequences.length; from += most) {
    batches.push(sequences.slice(from, from + most));
  }
  return { batches, runBytes };
}

/** A run that its memory budget cannot hold. */
export class MemoryError extends Error {
  override readonly name = "MemoryError";
}

function mebibytes(bytes: number): string {
  return `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`;
}

/** Cost of a batch in runs of a layer on one sequence; the head counts by the size of its weight. */
function batchCost({ architecture, metrics, probes }: DiagnosisInput, sequences: number): number {
  const layers = architecture.layers.length;
  const layerBytes = weightBytes(
    layerGraph(architecture.layers[0]!, architecture.hiddenSize, false),
  );
  const headRuns = (architecture.vocabularySize * architecture.hiddenSize * 4) / layerBytes;
  const baseline = layers * (1 + (metrics.has("jacobian") ? probes * tangentCost : 0));
  const kinds = metrics.has("sublayers") ? 3 : 1;
  const removals = metrics.has("pruning") ? (kinds * layers * (layers - 1)) / 2 : 0;
  const own = metrics.has("sublayers") ? 2 * layers : 0;
  const heads = architecture.head ? 1 + (metrics.has("pruning") ? kinds * layers : 0) : 0;
  return sequences * (baseline + removals + own + heads * headRuns);
}

/**
 * Every other weight reaches the stream or the logits, and spoils them if it is not finite; a row of
 * the embedding does so only where a document has its token.
 */
async function findUnusedNonFinite({
  checkpoint,
  architecture,
}: DiagnosisInput): Promise<string | undefined> {
  const [name] = await findNonFinite([architecture.embedding.tokens]);
  return name === undefined
    ? undefined
    : `${checkpoint.path}: ${name} holds NaN or infinite weights, in rows that no evaluated token uses; the figures stand.`;
}

/** Says which weights are not finite, having found that the stream is not. */
async function explainNonFinite(
  { checkpoint, architecture }: DiagnosisInput,
  at: StreamPart,
): Promise<string> {
  const names = await findNonFinite(tensorsOf(architecture));
  const where = typeof at === "number" ? architecture.layers[at]!.path : `the ${at}`;
  return names.length === 0
    ? `${checkpoint.path}: activations overflow in ${where} although every weight is finite.`
    : `${checkpoint.path}: ${names.join(", ")} ${names.length === 1 ? "holds" : "hold"} NaN or infinite weights; activations are not finite from ${where} on.`;
}
