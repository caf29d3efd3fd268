import type { Architecture, Head, MeanPooling, Norm } from "../architecture/description";
import type { Executor, Tensor } from "../engine/executor";
import { headInputs, headOutputs, headSlices, normGraph, normOutput } from "../graph/head";
import { layerGraph } from "../graph/layer";
import { activationBytes, weightBytes } from "../graph/memory";
import type { Batch } from "./batch";

/** Below this a slice of the head is not worth another session. */
const smallestSliceBytes = 64 * 2 ** 20;

/**
 * Token NLLs of several residual streams under the head, in nats.
 *
 * @param streams each [sequences, length, hidden] of the batch
 * @param onWork told of finished work, in runs of a layer on one sequence
 * @returns by stream and sequence, one NLL for each prediction
 */
export async function negativeLogLikelihoods(
  ...[architecture, head, batch, streams, executor, runBytes, onWork]: LikelihoodInputs
): Promise<Float64Array[][]> {
  const inputs: LikelihoodInputs = [architecture, head, batch, streams, executor, runBytes, onWork];
  return (await predictionsOf(inputs, false)).losses;
}

/**
 * The same, and beside each NLL what the prediction itself expects it to be: the entropy of its
 * distribution, in nats.
 */
export async function expectedLikelihoods(...inputs: LikelihoodInputs): Promise<Predictions> {
  return predictionsOf(inputs, true);
}

type LikelihoodInputs = readonly [
  architecture: Architecture,
  head: Head,
  batch: Batch,
  streams: readonly Float32Array[],
  executor: Executor,
  runBytes: number,
  onWork: (cost: number) => void,
];

/** By stream and sequence, of each prediction. */
interface Predictions {
  readonly losses: Float64Array[][];
  /** NaN where they were not asked for. */
  readonly entropies: Float64Array[][];
}

async function predictionsOf(
  [architecture, head, batch, streams, executor, runBytes, onWork]: LikelihoodInputs,
  hasEntropy: boolean,
): Promise<Predictions> {
  const layerBytes = weightBytes(
    layerGraph(architecture.layers[0]!, architecture.hiddenSize, false),
  );
  const { objective, finalNorm, hiddenSize } = architecture;
  const pooling = objective.kind === "class" ? objective.pooling : undefined;
  const normed = pooling?.isOfNormed ? finalNorm : undefined;
  const slices = headSlices(
    { hiddenSize, finalNorm: normed ? undefined : finalNorm },
    head,
    Math.max(layerBytes, smallestSliceBytes),
    hasEntropy,
  );
  const states: Float32Array[] = [];
  for (const stream of streams) {
    states.push(normed ? await normalisedStream(normed, stream, batch, executor) : stream);
  }
  const sources = states.flatMap((stream) => asked(stream, batch, pooling));
  const rows = sources.length;
  // Over all slices: log Σ exp(logit) = maximum + log(exponentials).
  const maximum = new Float64Array(rows).fill(-Infinity);
  const exponentials = new Float64Array(rows);
  // Σ exp(logit − maximum) · (logit − maximum)
  const weighted = new Float64Array(rows);
  const { weighted: weightedOutput, ...lossOutputs } = headOutputs;
  const outputs = Object.values(hasEntropy ? headOutputs : lossOutputs);
  const targetLogit = new Float64Array(rows).fill(Number.NaN);

  for (const { start, end, graph } of slices) {
    const rowBytes = activationBytes(graph, { rows: 1 });
    const rowsAtOnce = Math.max(1, Math.min(rows, 2048, Math.floor(runBytes / rowBytes)));
    const session = await executor.load(graph);
    try {
      for (let from = 0; from < rows; from += rowsAtOnce) {
        const some = sources.slice(from, from + rowsAtOnce);
        const joined = (each: (source: Asked) => Float32Array): Tensor => {
          const data = new Float32Array(some.length * batch.width);
          for (const [row, source] of some.entries()) data.set(each(source), row * batch.width);
          return { type: "float32", data, shape: [some.length, batch.width] };
        };
        // Targets outside the slice are clamped into it, and what comes out for them is not read.
        const targets = BigInt64Array.from(some, ({ target }) =>
          BigInt(Math.min(Math.max(target - start, 0), end - start - 1)),
        );
        const found = await session.run(
          {
            [headInputs.stream]: joined(({ state }) => state),
            ...(head.besides && { [headInputs.besides]: joined(({ next }) => next) }),
            [headInputs.targets]: { type: "int64", data: targets, shape: [some.length, 1] },
          },
          outputs,
        );
        for (const [row, { target }] of some.entries()) {
          const at = from + row;
          const highest = found[headOutputs.maximum]![row]!;
          const joint = Math.max(maximum[at]!, highest);
          const [before, own] = [Math.exp(maximum[at]! - joint), Math.exp(highest - joint)];
          const added = found[headOutputs.exponentials]![row]!;
          if (hasEntropy) {
            const moved = before === 0 ? 0 : (maximum[at]! - joint) * exponentials[at]!;
            weighted[at] =
              before * (weighted[at]! + moved) +
              own * (found[weightedOutput]![row]! + (highest - joint) * added);
          }
          exponentials[at] = exponentials[at]! * before + added * own;
          // Math.max passes a NaN on, so a logit that is not a number makes the loss one too.
          maximum[at] = joint;
          if (start <= target && target < end) {
            targetLogit[at] = found[headOutputs.targetLogit]![row]!;
          }
        }
        onWork((some.length / batch.length) * (weightBytes(graph) / layerBytes));
      }
    } finally {
      await session.release();
    }
  }

  const each = (value: (row: number) => number): Float64Array[][] => {
    let row = 0;
    return streams.map(() =>
      batch.sequences.map(({ predictions }) => Float64Array.from(predictions, () => value(row++))),
    );
  };
  return {
    losses: each((row) => maximum[row]! + Math.log(exponentials[row]!) - targetLogit[row]!),
    entropies: each((row) =>
      hasEntropy ? Math.log(exponentials[row]!) - weighted[row]! / exponentials[row]! : Number.NaN,
    ),
  };
}

/** What a prediction is made from. */
interface Asked {
  /** State [hidden] whose logits are asked for, and that of the token after. */
  readonly state: Float32Array;
  readonly next: Float32Array;
  /** The token, or the class, that is right. */
  readonly target: number;
}

function asked(stream: Float32Array, batch: Batch, pooling: MeanPooling | undefined): Asked[] {
  const { width } = batch;
  return batch.sequences.flatMap(({ predictions }, sequence) => {
    const states = batch.tokensOf(stream, sequence);
    const stateAt = (position: number): Float32Array =>
      states.subarray(position * width, (position + 1) * width);
    return predictions.map(({ target, position }) => ({
      state: pooling ? meanOf(states.subarray(pooling.after * width), width) : stateAt(position),
      next: stateAt(position + 1),
      target,
    }));
  });
}

/** The mean [width] over rows [rows, width]. */
function meanOf(states: Float32Array, width: number): Float32Array {
  const sums = new Float64Array(width);
  for (const [at, value] of states.entries()) sums[at % width]! += value;
  return Float32Array.from(sums, (sum) => (sum * width) / states.length);
}

/** Rows that a norm is taken of at once. */
const normedAtOnce = 2048;

/** A stream [sequences, length, hidden] with the norm of each token's state. */
export async function normalisedStream(
  norm: Norm,
  stream: Float32Array,
  { width }: Batch,
  executor: Executor,
): Promise<Float32Array> {
  const session = await executor.load(normGraph(norm, width));
  try {
    const found = new Float32Array(stream.length);
    for (let from = 0; from < stream.length; from += normedAtOnce * width) {
      const data = stream.subarray(from, from + normedAtOnce * width);
      const feeds = {
        [headInputs.stream]: {
          type: "float32",
          data,
          shape: [data.length / width, width],
        } as const,
      };
      found.set((await session.run(feeds, [normOutput]))[normOutput]!, from);
    }
    return found;
  } finally {
    await session.release();
  }
}
