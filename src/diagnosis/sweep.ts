import type { Architecture } from "../architecture/description";
import { sublayersOf } from "../architecture/description";
import type { Executor } from "../engine/executor";
import { attentionFeeds } from "../graph/attentionFeeds";
import { jvp } from "../graph/jvp";
import { layerGraph, layerInputs, layerOutputs } from "../graph/layer";
import { Batch } from "./batch";
import { embed } from "./embed";
import { encoderMemory } from "./encoderMemory";
import { negativeLogLikelihoods } from "./likelihood";
import type { Measurements } from "./measurements";
import type { EvaluatedSequence } from "./objective";
import { whyNoLoss } from "./objective";
import type { Metric } from "./report";
import {
  LayerRun,
  type BaselineActivations,
  type LayerRunObserver,
  type LayerRunOptions,
  type Trajectory,
} from "./layerRun";

export interface SweepOptions extends LayerRunOptions {
  readonly metrics: ReadonlySet<Metric>;
  /** Where the sweep may end, because the stream is known not to be finite from there on. */
  readonly upTo?: StreamPart;
}

/** A layer by its module index, or what stands before and after the layers, or what they attend to. */
export type StreamPart = number | "encoder" | "embedding" | "head";

/** What a sweep tells while it goes on. Each call may pause it; `stop` ends it early. */
export interface SweepObserver extends LayerRunObserver {
  /** Called before a layer (by module index), or another part, is begun. */
  readonly onStage: (stage: StreamPart) => Promise<"go on" | "stop">;
  /** Called when a layer's figures have been added to the measurements. */
  readonly onLayerMeasured: (layer: number) => void;
}

/** How a sweep ended; in `nonFinite` the stream left the finite numbers in the part named. */
export type SweepEnd =
  | { readonly kind: "done" }
  | { readonly kind: "stopped" }
  | { readonly kind: "nonFinite"; readonly at: StreamPart };

/**
 * The triangular sweep: one pass over the layers in which each layer's weights are loaded once and
 * serve the baseline, the Jacobian probes, and every trajectory that an earlier removal began.
 * Leaving out layer i begins a trajectory that is the baseline's input of layer i.
 *
 * Adds what it measures to `measurements`.
 */
export async function sweep(
  architecture: Architecture,
  sequences: readonly EvaluatedSequence[],
  executor: Executor,
  options: SweepOptions,
  measurements: Measurements,
  observer: SweepObserver,
): Promise<SweepEnd> {
  const { metrics, upTo } = options;
  if (upTo === "encoder" || upTo === "embedding") return { kind: "nonFinite", at: upTo };
  const { encoder } = architecture;
  if (encoder && encoder.layers.length > 0 && (await observer.onStage("encoder")) === "stop")
    return { kind: "stopped" };
  const memory = encoder && (await encoderMemory(encoder, sequences, executor, options, observer));
  if (encoder && memory === undefined) {
    // Without layers it is the embedding alone.
    return { kind: "nonFinite", at: encoder.layers.length > 0 ? "encoder" : "embedding" };
  }
  const batch = new Batch(sequences, architecture.hiddenSize, memory);
  if ((await observer.onStage("embedding")) === "stop") return { kind: "stopped" };
  let baseline: Trajectory = {
    removed: undefined,
    stream: await embed(architecture, batch, executor),
  };
  if (!batch.isFinite(baseline.stream)) return { kind: "nonFinite", at: "embedding" };

  let removals: Trajectory[] = [];
  for (const [index, layer] of architecture.layers.entries()) {
    if (index === upTo) return { kind: "nonFinite", at: upTo };
    if ((await observer.onStage(index)) === "stop") return { kind: "stopped" };
    const plain = layerGraph(layer, architecture.hiddenSize, metrics.has("sublayers"));
    const graph = metrics.has("jacobian")
      ? jvp(plain, layerInputs.stream, [layerOutputs.stream])
      : plain;
    const positions = attentionFeeds(layer.attention.module, batch.length);
    let run = await LayerRun.load(graph, executor, batch, options, positions, observer);
    try {
      const activations = await run.baseline(baseline.stream, index);
      if (!batch.isFinite(activations.streams.stream)) return { kind: "nonFinite", at: index };
      addMeasurements(measurements, batch, index, baseline.stream, activations, metrics);
      observer.onLayerMeasured(index);

      if (metrics.has("pruning")) {
        const continued = [...removals];
        if (metrics.has("sublayers")) {
          for (const part of sublayersOf(layer)) {
            continued.push({ removed: { layer: index, part }, stream: baseline.stream.slice() });
          }
        }
        if (continued.length > 0 && !run.servesPlainRuns) {
          await run.release();
          run = await LayerRun.load(plain, executor, batch, options, positions, observer);
        }
        await run.continue(continued, index);
        removals = [
          ...continued,
          { removed: { layer: index, part: "layer" }, stream: baseline.stream },
        ];
      }
      baseline = { removed: undefined, stream: activations.streams.stream };
    } finally {
      await run.release();
    }
  }

  if (architecture.head === undefined || whyNoLoss(architecture)) return { kind: "done" };
  if (upTo === "head") return { kind: "nonFinite", at: upTo };
  if ((await observer.onStage("head")) === "stop") return { kind: "stopped" };
  const streams = [baseline, ...removals].map(({ stream }) => stream);
  const losses = await negativeLogLikelihoods(
    architecture,
    architecture.head,
    batch,
    streams,
    executor,
    options.runBytes,
    observer.onWork,
  );
  const [baselineLosses, ...removalLosses] = losses;
  if (!baselineLosses!.every((losses) => losses.every(Number.isFinite))) {
    return { kind: "nonFinite", at: "head" };
  }
  for (const [at, losses] of baselineLosses!.entries()) {
    measurements.baseline.add(batch.sequences[at]!.document, losses);
  }
  for (const [trajectory, { removed }] of removals.entries()) {
    const differences = measurements.layers[removed!.layer]!.removal[removed!.part];
    for (const [at, losses] of removalLosses[trajectory]!.entries()) {
      const baseline = baselineLosses![at]!;
      differences.add(
        batch.sequences[at]!.document,
        losses.map((loss, position) => loss - baseline[position]!),
      );
    }
  }
  return { kind: "done" };
}

function addMeasurements(
  measurements: Measurements,
  batch: Batch,
  index: number,
  input: Float32Array,
  activations: BaselineActivations,
  metrics: ReadonlySet<Metric>,
): void {
  const layer = measurements.layers[index]!;
  for (const [at, { document, tokens }] of batch.sequences.entries()) {
    if (metrics.has("variance")) {
      layer.addActivations({
        document,
        tokens: tokens.length,
        width: batch.width,
        input: batch.tokensOf(input, at),
        streams: batch.tokensOfEach(activations.streams, at),
      });
    }
    if (metrics.has("jacobian")) layer.addProducts(document, activations.products[at]!);
  }
}
