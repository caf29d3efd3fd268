/** What a diagnosis will take, told before it runs: from the plan of its batches, and a rate. */
import { sourceAxis } from "../graph/attention";
import type { Graph } from "../graph/graph";
import { jvp } from "../graph/jvp";
import { layerGraph, layerInputs, layerOutputs } from "../graph/layer";
import { activationBytes, weightBytes } from "../graph/memory";
import { multiplyAdds } from "../graph/work";
import { tokensAtOnce } from "./layerRun";
import { whyNoLoss } from "./objective";
import type { Estimate } from "./outlook";
import { loadCostInTokens, planBatches, runsOf, withoutRemovals, type PlanInput } from "./plan";
import { corruptedLengths } from "./spanCorruption";

export interface EstimateInput extends PlanInput {
  /** Tokens that are evaluated at most. */
  readonly maxTokens: number;
  readonly sequenceLength: number;
  readonly threads: number;
}

/**
 * What one thread of a processor of recent years is taken to do in matrix products of float32, in
 * multiply–adds a second. Wide vector units do five times as much, small layers a fraction.
 */
const assumedRate = 2e10;

/** Resident memory of the engine process with ONNX Runtime loaded (measured on Linux). */
const engineBytes = 3e8;

/**
 * Time that a session takes besides its weights: to be built, and to be called (measured on layers of
 * 1 MB).
 */
const sessionSeconds = 0.05;

/** @throws MemoryError when the budget cannot hold the diagnosis */
export function estimateDiagnosis(input: EstimateInput): Estimate {
  const { architecture, probes, threads } = input;
  const metrics = whyNoLoss(architecture) ? withoutRemovals(input.metrics) : input.metrics;
  const sequenceLength = Math.min(input.sequenceLength, architecture.contextLength ?? Infinity);
  const sequences = Math.max(1, Math.floor(input.maxTokens / sequenceLength));
  const { encoder, objective } = architecture;
  const { tokens, source = 0 } =
    objective.kind === "span-corruption"
      ? corruptedLengths(sequenceLength)
      : { tokens: sequenceLength, source: encoder ? sequenceLength : 0 };
  const plan = planBatches({ ...input, metrics }, sequences, { tokens, source });

  const graphs = architecture.layers.map((layer) =>
    layerGraph(layer, architecture.hiddenSize, metrics.has("sublayers")),
  );
  const mean = (of: (graph: Graph) => number): number =>
    graphs.reduce((sum, graph) => sum + of(graph), 0) / graphs.length;
  const one = { batch: 1, sequence: tokens, [sourceAxis]: source };
  const runs = runsOf({ architecture, metrics, probes });
  const headProducts = architecture.vocabularySize * architecture.hiddenSize * tokens;
  const encoderGraphs = (encoder?.layers ?? []).map((layer) =>
    layerGraph(layer, architecture.hiddenSize, false),
  );
  const encoderProducts = encoderGraphs.reduce(
    (sum, graph) => sum + multiplyAdds(graph, { batch: 1, sequence: source }),
    0,
  );
  const products =
    sequences *
    (runs.layers * mean((graph) => multiplyAdds(graph, one)) +
      encoderProducts +
      runs.heads * headProducts);
  // A weight of float32 costs as much to load as to use on so many tokens.
  const loads = plan.batches.length * (graphs.length + encoderGraphs.length);
  const loadCost = loads * mean((graph) => weightBytes(graph) / 4) * loadCostInTokens;

  const hasProbes = metrics.has("jacobian");
  const rows = Math.max(1, Math.floor(tokensAtOnce / tokens));
  const plainRun = activationBytes(graphs[0]!, { ...one, batch: rows });
  const probedRun = hasProbes ? probedRunBytes(graphs[0]!, one, probes) : 0;
  const memory = {
    layer: plan.layerBytes,
    streams: plan.sequenceBytes * Math.max(...plan.batches),
    run: Math.min(plan.runBytes, Math.max(plainRun, probedRun)),
    engine: engineBytes,
  };
  return {
    sequences,
    sequenceLength,
    memory: { bytes: memory.layer + memory.streams + memory.run + memory.engine, ...memory },
    time: {
      seconds: (products + loadCost) / (assumedRate * threads) + loads * sessionSeconds,
      multiplyAdds: products,
      rate: assumedRate,
      threads,
    },
  };
}

/** Of one run with as many sequences and probes as a run takes. */
function probedRunBytes(
  graph: Graph,
  sizes: { readonly sequence: number },
  probes: number,
): number {
  const trajectories = Math.max(2, Math.floor(tokensAtOnce / sizes.sequence));
  const probesAtOnce = Math.min(probes, trajectories - 1);
  return activationBytes(jvp(graph, layerInputs.stream, [layerOutputs.stream]), {
    ...sizes,
    batch: Math.max(1, Math.floor(trajectories / (1 + probesAtOnce))),
    probes: probesAtOnce,
  });
}
