/** A diagnosis in this process, from a checkpoint's path to its report. */
import type { Architecture, Stack } from "../../../src/architecture/description";
import { isPatchEmbedding } from "../../../src/architecture/description";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import type { Settings } from "../../../src/architecture/reading";
import type { SchemeName } from "../../../src/architecture/schemes";
import { commonFolder } from "../../../src/checkpoint/commonFolder";
import { openCheckpoint } from "../../../src/checkpoint/open";
import type { DiagnosisObserver } from "../../../src/diagnosis/diagnose";
import { diagnose } from "../../../src/diagnosis/diagnose";
import { MemoryError } from "../../../src/diagnosis/plan";
import { readingSummary } from "../../../src/diagnosis/readings/readingSummary";
import { settleReading } from "../../../src/diagnosis/readings/settleReading";
import type { Metric, Report } from "../../../src/diagnosis/report";
import type { Executor } from "../../../src/engine/executor";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";
import type { Sequence } from "../../../src/text/documents";
import { readImages, withoutLabels } from "../../../src/text/images";
import { withMaskToken } from "../../../src/text/objectiveTokens";

export interface PipelineOptions {
  /** Documents of token ids, or a file of images. */
  documents: readonly (readonly number[])[] | { readonly images: string };
  metrics?: readonly Metric[];
  probes?: number;
  seed?: number;
  memoryBytes?: number;
  scheme?: SchemeName;
  stack?: Stack;
  /** What is stated of a model whose tensors do not tell it. */
  reading?: Settings;
  observer?: Partial<DiagnosisObserver>;
  /** Stands between the sweep and ONNX Runtime. */
  executor?: (cpu: Executor) => Executor;
}

export async function diagnoseHere(path: string, options: PipelineOptions): Promise<Report> {
  const checkpoint = await openCheckpoint(path);
  const read = await readArchitecture(checkpoint, {
    scheme: options.scheme,
    stack: options.stack,
    ...(options.reading && { settings: options.reading }),
  });
  const proposal = await withMaskToken(read, checkpoint);
  const sequences = await sequencesOf(options.documents, proposal.architecture({}));
  const cpu = onnxRuntimeExecutor({
    provider: "cpu",
    threads: 1,
    weightsFolder: commonFolder(checkpoint.tensors.values()),
  });
  const settlement = await settleReading(path, proposal, sequences, cpu, { runBytes: 2 ** 28 });
  return diagnose(
    {
      checkpoint,
      fingerprint: "0".repeat(64),
      architecture: withoutLabels(settlement.architecture, sequences),
      reading: readingSummary(proposal, settlement),
      sequences,
      source: "test",
      sequenceLength: 256,
      metrics: new Set(options.metrics ?? ["variance", "jacobian", "pruning"]),
      probes: options.probes ?? 2,
      seed: options.seed ?? 0,
      memoryBytes: options.memoryBytes ?? 2 ** 30,
    },
    options.executor?.(cpu) ?? cpu,
    () => ({ device: "cpu", threads: 1, seconds: 0, peakMemoryBytes: 0 }),
    {
      onStage: () => Promise.resolve("go on"),
      onWork: () => undefined,
      onReport: () => undefined,
      onNotice: () => undefined,
      ...options.observer,
    },
  );
}

async function sequencesOf(
  documents: PipelineOptions["documents"],
  { embedding, vocabularySize }: Architecture,
): Promise<Sequence[]> {
  if (!("images" in documents)) return documents.map((tokens, document) => ({ document, tokens }));
  if (!isPatchEmbedding(embedding)) throw new Error("not a model of images");
  return readImages(documents.images, embedding, vocabularySize);
}

/** The least memory in which a diagnosis is accepted, in bytes: each document is a batch then. */
export async function leastMemory(path: string, options: PipelineOptions): Promise<number> {
  const isAccepted = (memoryBytes: number): Promise<boolean> =>
    diagnoseHere(path, {
      ...options,
      memoryBytes,
      observer: { onStage: () => Promise.resolve("stop") },
    }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof MemoryError) return false;
        throw error;
      },
    );
  let [low, high] = [0, 2 ** 24];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (await isAccepted(middle)) high = middle;
    else low = middle;
  }
  return high;
}
