/** A diagnosis in this process, from a checkpoint's path to its report. */
import { describeArchitecture } from "../../../src/architecture/describe";
import type { SchemeName } from "../../../src/architecture/schemes";
import { commonFolder } from "../../../src/checkpoint/commonFolder";
import { openCheckpoint } from "../../../src/checkpoint/open";
import type { DiagnosisObserver } from "../../../src/diagnosis/diagnose";
import { diagnose } from "../../../src/diagnosis/diagnose";
import type { Metric, Report } from "../../../src/diagnosis/report";
import type { Executor } from "../../../src/engine/executor";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";

export interface PipelineOptions {
  documents: readonly (readonly number[])[];
  metrics?: readonly Metric[];
  probes?: number;
  seed?: number;
  memoryBytes?: number;
  scheme?: SchemeName;
  observer?: Partial<DiagnosisObserver>;
  /** Stands between the sweep and ONNX Runtime. */
  executor?: (cpu: Executor) => Executor;
}

export async function diagnoseHere(path: string, options: PipelineOptions): Promise<Report> {
  const checkpoint = await openCheckpoint(path);
  const architecture = describeArchitecture(checkpoint, options.scheme);
  const cpu = onnxRuntimeExecutor({
    provider: "cpu",
    threads: 1,
    weightsFolder: commonFolder(checkpoint.tensors.values()),
  });
  return diagnose(
    {
      checkpoint,
      architecture,
      documents: options.documents,
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
