/** What a decoder's layers attend to: the output of the encoder, computed once for a batch. */
import type { Encoder } from "../architecture/description";
import type { Executor } from "../engine/executor";
import { attentionFeeds } from "../graph/attentionFeeds";
import { layerGraph } from "../graph/layer";
import type { EncoderMemory } from "./batch";
import { Batch } from "./batch";
import { embed } from "./embed";
import type { LayerRunObserver, LayerRunOptions } from "./layerRun";
import { LayerRun } from "./layerRun";
import { normalisedStream } from "./likelihood";
import type { EvaluatedSequence } from "./objective";

/** What the encoder reads of a sequence: the decoder's own tokens where nothing else is told. */
export function sourceOf({
  source,
  tokens,
}: Pick<EvaluatedSequence, "source" | "tokens">): readonly number[] {
  return source ?? tokens;
}

/**
 * Runs the encoder on what it reads of each sequence, a layer at a time.
 *
 * @returns undefined where its output is not finite
 */
export async function encoderMemory(
  encoder: Encoder,
  sequences: readonly EvaluatedSequence[],
  executor: Executor,
  options: LayerRunOptions,
  observer: LayerRunObserver,
): Promise<EncoderMemory | undefined> {
  const { hiddenSize, layers, finalNorm } = encoder;
  const read = sequences.map((sequence) => ({ ...sequence, tokens: sourceOf(sequence) }));
  const batch = new Batch(read, hiddenSize);
  const stream = await embed(encoder, batch, executor);
  for (const [index, layer] of layers.entries()) {
    const positions = attentionFeeds(layer.attention.module, batch.length);
    const graph = layerGraph(layer, hiddenSize, false);
    const run = await LayerRun.load(graph, executor, batch, options, positions, observer);
    try {
      await run.continue([{ removed: undefined, stream }], index);
    } finally {
      await run.release();
    }
  }
  const output = finalNorm ? await normalisedStream(finalNorm, stream, batch, executor) : stream;
  if (!batch.isFinite(output)) return undefined;
  return {
    stream: output,
    length: batch.length,
    lengths: read.map(({ tokens }) => tokens.length),
  };
}
