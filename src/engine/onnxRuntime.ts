import { InferenceSession, Tensor as OnnxTensor } from "onnxruntime-node";
import { messageOf } from "../checkpoint/errors";
import { readWeight } from "../checkpoint/readTensor";
import type { Graph } from "../graph/graph";
import { toOnnx } from "../graph/onnx";
import type { Executor, Session, Tensor } from "./executor";
import { EngineError } from "./executor";

export interface OnnxRuntimeOptions {
  /** Execution provider, by ONNX Runtime's name for it. */
  readonly provider: string;
  /** Threads of one operator; undefined: ONNX Runtime's choice. */
  readonly threads: number | undefined;
  /** Folder that holds every weight file. */
  readonly weightsFolder: string;
  /**
   * Whether ONNX Runtime rewrites graphs before they run. Of small layers that takes longer than a run:
   * where a session serves one, it is quicker without (readings of the sample: two thirds of the time).
   */
  readonly rewritesGraphs?: boolean;
}

/** An executor on ONNX Runtime, whose sessions read their weights out of the checkpoint's own files. */
export function onnxRuntimeExecutor(options: OnnxRuntimeOptions): Executor {
  return {
    // The reductions of the WebGPU provider refuse them; the others are not relied on either.
    acceptsEmptyTensors: options.provider === "cpu",
    load: async (graph) => {
      try {
        return new OnnxRuntimeSession(await createSession(graph, options), options.provider);
      } catch (error) {
        throw new EngineError(
          options.provider,
          `ONNX Runtime could not build a graph on ${options.provider}: ${messageOf(error)}`,
        );
      }
    },
  };
}

async function createSession(
  graph: Graph,
  { provider, threads, weightsFolder, rewritesGraphs = true }: OnnxRuntimeOptions,
): Promise<InferenceSession> {
  const { bytes, handedOver } = toOnnx(graph, weightsFolder);
  const externalData: { path: string; data: Uint8Array }[] = [];
  for (const { path, tensor } of handedOver) {
    externalData.push({ path, data: await readWeight(tensor) });
  }
  return InferenceSession.create(bytes, {
    ...(externalData.length > 0 && { externalData }),
    executionProviders: provider === "cpu" ? ["cpu"] : [provider, "cpu"],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    graphOptimizationLevel: rewritesGraphs ? "all" : "disabled",
    // Sessions come and go layer by layer: an arena would keep the largest one's memory.
    enableCpuMemArena: false,
    // Fatal only: a provider that fails is reported by us, in one line.
    logSeverityLevel: 4,
    extra: {
      session: {
        model_external_initializers_file_folder_path: weightsFolder,
        // Packed copies of the weights double a layer's memory and the time to build its session,
        // and gain nothing on the many rows that the sweep runs at once (measured).
        disable_prepacking: "1",
        // Threads that wait by spinning take the cores from the training beside us, and from their own
        // session's other threads where cores are scarce (small layers: a third of the processor time
        // and a sixth of the wall's; large ones: none).
        intra_op: { allow_spinning: "0" },
      },
    },
  });
}

class OnnxRuntimeSession implements Session {
  private isReleased = false;

  constructor(
    private readonly session: InferenceSession,
    private readonly provider: string,
  ) {}

  async run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[],
  ): Promise<Record<string, Float32Array>> {
    const tensors = Object.entries(feeds).map(([name, { type, data, shape }]) => [
      name,
      new OnnxTensor(type as "float32", data as Float32Array, shape),
    ]);
    try {
      const results = await this.session.run(
        Object.fromEntries(tensors) as InferenceSession.FeedsType,
        fetches,
      );
      return Object.fromEntries(fetches.map((name) => [name, results[name]!.data as Float32Array]));
    } catch (error) {
      throw new EngineError(
        this.provider,
        `ONNX Runtime failed to run a graph on ${this.provider}: ${messageOf(error)}`,
      );
    }
  }

  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    await this.session.release();
  }
}
