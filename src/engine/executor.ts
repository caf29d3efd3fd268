import type { Graph } from "../graph/graph";

/** Runs graphs. What the sweep knows of the engine: no provider, no ONNX Runtime. */
export interface Executor {
  /**
   * Whether a run may be fed tensors without elements, so that a differentiated graph serves plain
   * runs too (see `jvp`).
   */
  readonly acceptsEmptyTensors: boolean;
  /** Builds a session; its weights are in memory until it is released. */
  load(graph: Graph): Promise<Session>;
}

export interface Session {
  /**
   * @param feeds every input of the graph, by name
   * @param fetches names of the outputs wanted
   * @returns the fetched outputs, row-major
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches: readonly string[],
  ): Promise<Record<string, Float32Array>>;
  /** Frees the weights; calling it again does nothing. */
  release(): Promise<void>;
}

/** Numbers to feed: the data is row-major, its length the product of the shape. */
export type Tensor =
  | { readonly type: "float32"; readonly data: Float32Array; readonly shape: readonly number[] }
  | { readonly type: "int64"; readonly data: BigInt64Array; readonly shape: readonly number[] }
  | { readonly type: "bool"; readonly data: Uint8Array; readonly shape: readonly number[] };

/** ONNX Runtime refused a model or a run. */
export class EngineError extends Error {
  override readonly name = "EngineError";

  constructor(
    /** The execution provider that was to run it. */
    readonly provider: string,
    message: string,
  ) {
    super(message);
  }
}
