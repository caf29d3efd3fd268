/** How a diagnosis is cut into batches that memory can hold, and how much work they are. */
import type { Architecture, LayerDescription } from "../architecture/description";
import { sublayersOf } from "../architecture/description";
import { sourceAxis } from "../graph/attention";
import { layerGraph } from "../graph/layer";
import { activationBytes, weightBytes } from "../graph/memory";
import { tangentCost } from "./layerRun";
import type { Metric } from "./report";

/** What of a diagnosis decides its batches. */
export interface PlanInput {
  /** For error messages. */
  readonly checkpoint: { readonly path: string };
  readonly architecture: Architecture;
  readonly metrics: ReadonlySet<Metric>;
  readonly probes: number;
  /** Memory that weights and activations may take together, in bytes. */
  readonly memoryBytes: number;
}

export interface Plan {
  /** How many sequences each batch has, in the order of the sequences. */
  readonly batches: readonly number[];
  /** Bytes that the activations of one run of a graph may take. */
  readonly runBytes: number;
  /** Bytes of the largest layer's weights in float32. */
  readonly layerBytes: number;
  /** Bytes that the residual streams of one sequence take, those of all removals among them. */
  readonly sequenceBytes: number;
}

/** Activations of one run take at most this share of the memory that weights leave. */
const runShare = 0.4;

/**
 * Building a layer's session takes as long as running the layer on about this many tokens (measured
 * on layers of 16 MB to 900 MB).
 */
export const loadCostInTokens = 1500;
/** Share of a run that may be spent on showing a whole picture early. */
const previewShare = 0.1;

/**
 * Cuts the sequences into batches, as large as memory allows. The first is a quarter of all, so that
 * a whole picture stands early, unless loading every layer once more for that would cost too much.
 *
 * @param sequences how many there are
 * @param longest tokens of the longest, and where there is an encoder, of the longest that it reads
 * @throws MemoryError when one layer and one sequence do not fit
 */
export function planBatches(
  input: PlanInput,
  sequences: number,
  { tokens: longest, source = 0 }: { readonly tokens: number; readonly source?: number },
): Plan {
  const { architecture, metrics } = input;
  const { encoder } = architecture;
  const hiddenBytes = architecture.hiddenSize * 4;
  const layerBytes = Math.max(
    ...[...architecture.layers, ...(encoder?.layers ?? [])].map((layer) =>
      weightBytes(layerGraph(layer, architecture.hiddenSize, false)),
    ),
  );
  const forActivations = input.memoryBytes - layerBytes;
  const runBytes = forActivations * runShare;
  const removalsPerLayer = metrics.has("pruning") ? removedKinds(input) : 0;
  // The baseline's input, output, and both sides of its sums stand beside the trajectories.
  const streams =
    2 + 2 * sublayerCount(architecture) + removalsPerLayer * architecture.layers.length;
  // The encoder's output, and beside it what its norm is of.
  const sequenceBytes = (streams * longest + 2 * source) * hiddenBytes;
  const smallestOf = (layer: LayerDescription, sequence: number): number =>
    activationBytes(layerGraph(layer, architecture.hiddenSize, false), {
      batch: 1,
      sequence,
      [sourceAxis]: source,
    });
  const smallestRun = Math.max(
    smallestOf(architecture.layers[0]!, longest),
    ...(encoder?.layers.slice(0, 1) ?? []).map((layer) => smallestOf(layer, source)),
  );
  const least = layerBytes + sequenceBytes + smallestRun;
  if (least > input.memoryBytes) {
    throw new MemoryError(
      `${input.checkpoint.path}: one layer and one sequence of ${Math.max(longest, source)} tokens take ${mebibytes(least)}; the memory budget is ${mebibytes(input.memoryBytes)}. A larger budget or a smaller sequence length helps.`,
    );
  }
  const most = Math.max(1, Math.floor((forActivations - runBytes) / sequenceBytes));
  const tokensPerLayer = (batchCost(input, sequences) / architecture.layers.length) * longest;
  const isPreviewCheap = loadCostInTokens < previewShare * tokensPerLayer;
  const first = Math.min(
    most,
    isPreviewCheap ? Math.max(2, Math.ceil(sequences / 4)) : sequences,
    sequences,
  );

  const batches = [first];
  for (let from = first; from < sequences; from += most) {
    batches.push(Math.min(most, sequences - from));
  }
  return { batches, runBytes, layerBytes, sequenceBytes };
}

/** A run that its memory budget cannot hold. */
export class MemoryError extends Error {
  override readonly name = "MemoryError";
}

function mebibytes(bytes: number): string {
  return `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`;
}

type Work = Pick<PlanInput, "architecture" | "metrics" | "probes">;

/** Cost of a batch in runs of a layer on one sequence; the head counts by the size of its weight. */
export function batchCost(work: Work, sequences: number): number {
  const { architecture } = work;
  const layerBytes = weightBytes(
    layerGraph(architecture.layers[0]!, architecture.hiddenSize, false),
  );
  const headRuns = (architecture.vocabularySize * architecture.hiddenSize * 4) / layerBytes;
  const { layers, heads } = runsOf(work);
  const encoderRuns = architecture.encoder?.layers.length ?? 0;
  return sequences * (layers + encoderRuns + heads * headRuns);
}

/** How many things of a layer are left out, each by itself: the layer, and its sublayers. */
function removedKinds({ architecture, metrics }: Omit<Work, "probes">): number {
  return metrics.has("sublayers") ? 1 + sublayerCount(architecture) : 1;
}

function sublayerCount({ layers }: Architecture): number {
  return sublayersOf(layers[0]!).length;
}

/** How often each sequence goes through a layer, in plain runs of all layers together, and the head. */
export function runsOf({ architecture, metrics, probes }: Work): {
  layers: number;
  heads: number;
} {
  const layers = architecture.layers.length;
  const baseline = layers * (1 + (metrics.has("jacobian") ? probes * tangentCost : 0));
  const kinds = removedKinds({ architecture, metrics });
  const removals = metrics.has("pruning") ? (kinds * layers * (layers - 1)) / 2 : 0;
  const own = metrics.has("sublayers") ? sublayerCount(architecture) * layers : 0;
  const heads = architecture.head ? 1 + (metrics.has("pruning") ? kinds * layers : 0) : 0;
  return { layers: baseline + removals + own, heads };
}

/** Removing a sublayer says little without removing the layer. */
export function withImplied(metrics: readonly Metric[]): ReadonlySet<Metric> {
  return new Set(metrics.includes("sublayers") ? [...metrics, "pruning"] : metrics);
}

/** The metrics that need no predictions: without those there is no loss for a removal to change. */
export function withoutRemovals(metrics: ReadonlySet<Metric>): ReadonlySet<Metric> {
  return new Set([...metrics].filter((metric) => metric !== "pruning" && metric !== "sublayers"));
}
