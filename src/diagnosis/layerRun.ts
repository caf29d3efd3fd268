import type { SublayerName } from "../architecture/description";
import { sublayerNames } from "../architecture/description";
import type { Executor, Session, Tensor } from "../engine/executor";
import { sourceAxis } from "../graph/attention";
import { causalFeed, paddingFeed } from "../graph/attentionFeeds";
import type { Graph } from "../graph/graph";
import { tangentName } from "../graph/jvp";
import { layerInputs, layerOutputs } from "../graph/layer";
import { activationBytes } from "../graph/memory";
import type { Batch } from "./batch";
import type { Part } from "./measurements";
import type { InnerProducts } from "./perToken";
import { innerProducts } from "./perToken";
import { fillRademacher } from "./random";

export interface LayerRunOptions {
  /** Rademacher probes a sequence. */
  readonly probes: number;
  readonly seed: number;
  /** Bytes that the activations of one run of a graph may take. */
  readonly runBytes: number;
}

export interface LayerRunObserver {
  /** Called after part of the work is done, in runs of a layer on one sequence. */
  readonly onWork: (cost: number) => void;
}

/** What the baseline shows of a layer, for all sequences of a batch. */
export interface BaselineActivations {
  readonly streams: LayerStreams;
  /** Of each probe v and its product Jv, by sequence; empty without the Jacobian metric. */
  readonly products: readonly InnerProducts[][];
}

/** What a layer's graph returns: its output, each sublayer's, and what those are added to. */
export type LayerStream = keyof typeof layerOutputs;

/** The streams of a layer, those of cross-attention where it has one. */
export type LayerStreams = Readonly<
  Record<Exclude<LayerStream, CrossStream>, Float32Array> &
    Partial<Record<CrossStream, Float32Array>>
>;
type CrossStream = "crossAttention" | "crossAttentionBase";

/** Runs one layer's session on rows of sequences, as many at a time as memory allows. */
export class LayerRun {
  private readonly layerStreams: readonly LayerStream[];
  private readonly isDifferentiated: boolean;
  /** The parts that rows can be run without. */
  private readonly switches: readonly SublayerName[];
  /** Whether padding must be kept out of the attention. */
  private readonly seesPadding: boolean;
  /** Whether its cross-attention reads what the encoder gave. */
  private readonly readsMemory: boolean;
  /** What keeps later tokens of the memory out; undefined where it reads all. */
  private readonly memoryMask: Tensor | undefined;
  /** Whether trajectories can go through the session that the baseline's probes go through. */
  readonly servesPlainRuns: boolean;

  private constructor(
    private readonly graph: Graph,
    private readonly session: Session,
    executor: Executor,
    private readonly batch: Batch,
    private readonly options: LayerRunOptions,
    private readonly positions: Readonly<Record<string, Tensor>>,
    private readonly observer: LayerRunObserver,
  ) {
    const returned = new Set(graph.outputs.map(({ name }) => name));
    this.layerStreams = (Object.keys(layerOutputs) as LayerStream[]).filter((name) =>
      returned.has(layerOutputs[name]),
    );
    const names = new Set(graph.inputs.map(({ name }) => name));
    this.isDifferentiated = names.has(tangentName(layerInputs.stream));
    this.seesPadding = names.has(layerInputs.padding);
    this.readsMemory = names.has(layerInputs.memory);
    this.memoryMask = names.has(layerInputs.memoryMask) ? causalFeed(batch.length) : undefined;
    this.switches = sublayerNames.filter((part) => names.has(switches[part]));
    this.servesPlainRuns = !this.isDifferentiated || executor.acceptsEmptyTensors;
  }

  static async load(
    graph: Graph,
    executor: Executor,
    batch: Batch,
    options: LayerRunOptions,
    positions: Readonly<Record<string, Tensor>>,
    observer: LayerRunObserver,
  ): Promise<LayerRun> {
    const session = await executor.load(graph);
    return new LayerRun(graph, session, executor, batch, options, positions, observer);
  }

  /** Frees the layer's weights. Safe to call again. */
  async release(): Promise<void> {
    await this.session.release();
  }

  /** Runs the baseline, together with the Jacobian probes where they are wanted. */
  async baseline(stream: Float32Array, layer: number): Promise<BaselineActivations> {
    const { size, stride, sequences, width } = this.batch;
    const probes = this.isDifferentiated ? this.options.probes : 0;
    const tangent = tangentName(layerOutputs.stream);
    const streams = Object.fromEntries(
      this.layerStreams.map((name) => [name, new Float32Array(size * stride)]),
    ) as Record<LayerStream, Float32Array>;
    const products = sequences.map((): InnerProducts[] => []);
    const sequenceNumbers = sequences.map((_, sequence) => sequence);
    const [rowsAtOnce, probesAtOnce] = this.shareOfRun(size, probes);
    for (const [from, to] of chunks(size, rowsAtOnce)) {
      const rows = stream.subarray(from * stride, to * stride);
      for (const [first, end] of probes === 0 ? [[0, 0] as const] : chunks(probes, probesAtOnce)) {
        const vectors = this.probes(from, to, first, end, layer);
        const found = await this.run(rows, sequenceNumbers.slice(from, to), vectors, [
          ...(first === 0 ? this.layerStreams.map((name) => layerOutputs[name]) : []),
          ...(this.isDifferentiated ? [tangent] : []),
        ]);
        if (first === 0) {
          for (const name of this.layerStreams) {
            streams[name].set(found[layerOutputs[name]]!, from * stride);
          }
        }
        for (let row = 0; row < (end - first) * (to - from); row++) {
          const sequence = from + (row % (to - from));
          const start = row * stride;
          const length = sequences[sequence]!.tokens.length * width;
          products[sequence]!.push(
            innerProducts(
              vectors.subarray(start, start + length),
              found[tangent]!.subarray(start, start + length),
            ),
          );
        }
        this.observer.onWork((to - from) * (1 + (end - first) * tangentCost));
      }
    }
    return { streams, products };
  }

  /** Moves trajectories through the layer, in place. */
  async continue(trajectories: readonly Trajectory[], layer: number): Promise<void> {
    const { size, stride } = this.batch;
    const rows = trajectories.flatMap(({ removed, stream }) =>
      Array.from({ length: size }, (_, sequence) => ({
        stream: stream.subarray(sequence * stride, (sequence + 1) * stride),
        sequence,
        skips: removed?.layer === layer ? removed.part : undefined,
      })),
    );
    for (const [from, to] of chunks(rows.length, this.rowsAtOnce(rows.length, 0))) {
      const some = rows.slice(from, to);
      const joined = new Float32Array(some.length * stride);
      for (const [row, { stream }] of some.entries()) joined.set(stream, row * stride);
      const skips = some.map((row) => row.skips);
      const found = await this.run(
        joined,
        some.map(({ sequence }) => sequence),
        new Float32Array(0),
        [layerOutputs.stream],
        skips,
      );
      const output = found[layerOutputs.stream]!;
      for (const [row, { stream }] of some.entries()) {
        stream.set(output.subarray(row * stride, (row + 1) * stride));
      }
      this.observer.onWork(some.length);
    }
  }

  /**
   * @param sequenceOfRow which sequence of the batch each row of the stream is of
   * @param vectors probes [probes, rows, length, width]; of length 0 for a plain run
   */
  private run(
    stream: Float32Array,
    sequenceOfRow: readonly number[],
    vectors: Float32Array,
    fetches: readonly string[],
    skips: readonly (Part | undefined)[] = [],
  ): Promise<Record<string, Float32Array>> {
    const { length, width, stride, sequences } = this.batch;
    const rows = sequenceOfRow.length;
    const feeds: Record<string, Tensor> = {
      ...this.positions,
      [layerInputs.stream]: { type: "float32", data: stream, shape: [rows, length, width] },
    };
    if (this.isDifferentiated) {
      feeds[tangentName(layerInputs.stream)] = {
        type: "float32",
        data: vectors,
        shape: [vectors.length / (rows * stride), rows, length, width],
      };
    }
    if (this.seesPadding) {
      const lengths = sequenceOfRow.map((sequence) => sequences[sequence]!.tokens.length);
      feeds[layerInputs.padding] = paddingFeed(lengths, length);
    }
    for (const part of this.switches) {
      feeds[switches[part]] = {
        type: "bool",
        data: Uint8Array.from({ length: rows }, (_, row) => (skips[row] === part ? 0 : 1)),
        shape: [rows, 1, 1],
      };
    }
    if (this.readsMemory) Object.assign(feeds, this.memoryOf(sequenceOfRow));
    return this.session.run(feeds, fetches);
  }

  /** What the encoder gave of the sequence of each row, and what keeps its padding out. */
  private memoryOf(sequenceOfRow: readonly number[]): Record<string, Tensor> {
    const { memory, width } = this.batch;
    const { stream, length, lengths } = memory!;
    const stride = length * width;
    const data = new Float32Array(sequenceOfRow.length * stride);
    for (const [row, sequence] of sequenceOfRow.entries()) {
      data.set(stream.subarray(sequence * stride, (sequence + 1) * stride), row * stride);
    }
    return {
      [layerInputs.memory]: { type: "float32", data, shape: [sequenceOfRow.length, length, width] },
      [layerInputs.memoryPadding]: paddingFeed(
        sequenceOfRow.map((sequence) => lengths[sequence]!),
        length,
      ),
      ...(this.memoryMask && { [layerInputs.memoryMask]: this.memoryMask }),
    };
  }

  /** Probes [probes, sequences, length, width] of these sequences, zero on padding. */
  private probes(
    from: number,
    to: number,
    first: number,
    end: number,
    layer: number,
  ): Float32Array {
    const { sequences, stride, width } = this.batch;
    const vectors = new Float32Array((end - first) * (to - from) * stride);
    let start = 0;
    for (let probe = first; probe < end; probe++) {
      for (const { index, tokens } of sequences.slice(from, to)) {
        const target = vectors.subarray(start, start + tokens.length * width);
        fillRademacher(target, [this.options.seed, layer, index, probe]);
        start += stride;
      }
    }
    return vectors;
  }

  private rowsAtOnce(rows: number, probes: number): number {
    return largest(rows, (count) => this.fits(count, probes));
  }

  /** Sequences and probes of one run: all probes of a sequence together if possible. */
  private shareOfRun(sequences: number, probes: number): [number, number] {
    if (this.fits(1, probes)) return [this.rowsAtOnce(sequences, probes), probes];
    return [1, largest(probes, (count) => this.fits(1, count))];
  }

  private fits(rows: number, probes: number): boolean {
    const { length } = this.batch;
    const source = this.batch.memory?.length ?? 0;
    const sizes = { batch: rows, sequence: length, probes, [sourceAxis]: source };
    return (
      rows * (1 + probes) * length <= tokensAtOnce &&
      activationBytes(this.graph, sizes) <= this.options.runBytes
    );
  }
}

/** The input that each part is switched by. */
const switches = {
  attention: layerInputs.keepAttention,
  crossAttention: layerInputs.keepCrossAttention,
  feedForward: layerInputs.keepFeedForward,
} as const satisfies Record<SublayerName, string>;

/** More tokens in one run make nothing faster: matrix products are at full speed well before. */
export const tokensAtOnce = 2048;

/** Cost of one probe's tangent in units of a plain run of the layer. */
export const tangentCost = 1.4;

/** One run through the layers: the baseline, or one in which a part of an earlier layer was left out. */
export interface Trajectory {
  readonly removed: { readonly layer: number; readonly part: Part } | undefined;
  /** Residual stream [sequences, length, hidden], replaced layer by layer. */
  readonly stream: Float32Array;
}

/** [0, total) in pieces of at most `size`. */
function chunks(total: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil(total / size) }, (_, index) => [
    index * size,
    Math.min(total, (index + 1) * size),
  ]);
}

/** The largest count from 1 to `most` that fits; 1 even when nothing does. */
function largest(most: number, fits: (count: number) => boolean): number {
  let low = 1;
  let high = Math.max(1, most);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
