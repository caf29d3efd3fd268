import type { Architecture, Head } from "../architecture/description";
import type { Executor } from "../engine/executor";
import { headInputs, headOutputs, headSlices } from "../graph/head";
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
  architecture: Architecture,
  head: Head,
  batch: Batch,
  streams: readonly Float32Array[],
  executor: Executor,
  runBytes: number,
  onWork: (cost: number) => void,
): Promise<Float64Array[][]> {
  const layerBytes = weightBytes(
    layerGraph(architecture.layers[0]!, architecture.hiddenSize, false),
  );
  const slices = headSlices(architecture, head, Math.max(layerBytes, smallestSliceBytes));
  const sources = streams.flatMap((stream) => asked(stream, batch));
  const rows = sources.length;
  // Over all slices: log Σ exp(logit) = maximum + log(exponentials).
  const maximum = new Float64Array(rows).fill(-Infinity);
  const exponentials = new Float64Array(rows);
  const targetLogit = new Float64Array(rows).fill(Number.NaN);

  for (const { start, end, graph } of slices) {
    const rowBytes = activationBytes(graph, { rows: 1 });
    const rowsAtOnce = Math.max(1, Math.min(rows, 2048, Math.floor(runBytes / rowBytes)));
    const session = await executor.load(graph);
    try {
      for (let from = 0; from < rows; from += rowsAtOnce) {
        const some = sources.slice(from, from + rowsAtOnce);
        const stream = new Float32Array(some.length * batch.width);
        for (const [row, source] of some.entries()) stream.set(source.state, row * batch.width);
        // Targets outside the slice are clamped into it, and what comes out for them is not read.
        const targets = BigInt64Array.from(some, ({ target }) =>
          BigInt(Math.min(Math.max(target - start, 0), end - start - 1)),
        );
        const found = await session.run(
          {
            [headInputs.stream]: {
              type: "float32",
              data: stream,
              shape: [some.length, batch.width],
            },
            [headInputs.targets]: { type: "int64", data: targets, shape: [some.length, 1] },
          },
          Object.values(headOutputs),
        );
        for (const [row, { target }] of some.entries()) {
          const at = from + row;
          const highest = found[headOutputs.maximum]![row]!;
          const joint = Math.max(maximum[at]!, highest);
          exponentials[at] =
            exponentials[at]! * Math.exp(maximum[at]! - joint) +
            found[headOutputs.exponentials]![row]! * Math.exp(highest - joint);
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

  let row = 0;
  return streams.map(() =>
    batch.sequences.map(({ predictions }) =>
      Float64Array.from(predictions, () => {
        const loss = maximum[row]! + Math.log(exponentials[row]!) - targetLogit[row]!;
        row++;
        return loss;
      }),
    ),
  );
}

/** The state [hidden] that each prediction is made from, and the token that is right. */
function asked(stream: Float32Array, batch: Batch): { state: Float32Array; target: number }[] {
  return batch.sequences.flatMap(({ predictions }, sequence) => {
    const states = batch.tokensOf(stream, sequence);
    return predictions.map(({ target, position }) => ({
      state: states.subarray(position * batch.width, (position + 1) * batch.width),
      target,
    }));
  });
}
