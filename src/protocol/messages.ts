/**
 * Every message that crosses a process or frame boundary: host or CLI ⇄ engine, host ⇄ webview.
 * Types only; nothing is imported at run time.
 */
import type { Metric, NormSummary, ReadingCandidate, Report } from "../diagnosis/report";
import type { Device } from "../engine/device";
import type { PackedReport } from "../report/packedReport";
import type { TextSource } from "../text/source";
import type { Texts } from "./texts";
import type { NamedRun, RunStepReport } from "../trainingRun/runReport";

/** One diagnosis, as the user asked for it. Paths are absolute. */
export interface DiagnosisRequest {
  checkpoint: string;
  /** Of the checkpoint's content, where the owner knows it already. */
  fingerprint?: string;
  texts: TextSource;
  sequenceLength: number;
  /** True when the user chose the length: then it may not exceed the model's context. */
  sequenceLengthIsExplicit: boolean;
  /** Token budget; token-id files are evaluated whole unless the user sets one. */
  maxTokens: number;
  maxTokensIsExplicit: boolean;
  metrics: Metric[];
  probes: number;
  /** Norm scheme; undefined: settled from the checkpoint. */
  scheme?: string;
  /** Which stack is measured, of a model that has two; undefined: the decoder where it has a head. */
  stack?: string;
  /** What is known of a model whose tensors do not tell it: heads, activation and the like, by name. */
  reading?: Record<string, string>;
  /** The reading that was chosen when the evidence told none; what else is known goes over it. */
  chosenReading?: Record<string, string>;
  device: Device;
  /** Undefined: one per physical core, as ONNX Runtime chooses. */
  threads?: number;
  /** Memory budget of the engine in bytes; undefined: half of what is free. */
  memoryBytes?: number;
  seed: number;
  /** What the report should tell of earlier attempts at this run. */
  notices?: string[];
}

/** Where a run stands. `remainingSeconds` is absent until it can be estimated. */
export interface Progress {
  stage: "opening" | "device" | "readings" | "encoder" | "embedding" | "layer" | "head";
  /** The reading being tried, from 1, and how many there are to try, in the stage `readings`. */
  reading?: number;
  readings?: number;
  /** Layer being measured (module index) and how many there are, in the stage `layer`. */
  layer?: number;
  layers?: number;
  /** Document batch, from 1, and how many are planned. */
  batch?: number;
  batches?: number;
  /** Share of the whole run that is done, 0 … 1. */
  fraction: number;
  remainingSeconds?: number;
}

/** What the engine process tells its owner, in order: progress and partial reports, then one end. */
export type EngineEvent =
  | { type: "progress"; progress: Progress }
  | { type: "notice"; text: string }
  /** A whole report of what has been measured so far; newer ones replace older ones. */
  | { type: "report"; report: Report }
  | { type: "finished"; report: Report }
  | { type: "failed"; failure: Failure };

/** An event as it passes from the engine process, whose reports grow with the documents. */
export type EngineMessage =
  Exclude<EngineEvent, { report: Report }> | { type: "report" | "finished"; report: PackedReport };

/**
 * Why a run ended without a report. The reason decides exit codes and offers, never the message.
 * `device`: a device other than the CPU failed, so the CPU may yet do it.
 */
export interface Failure {
  reason: "usage" | "checkpoint" | "run" | "device" | "interrupted" | "killed";
  message: string;
  /** What the checkpoint has none of, where the settings can make up for it. */
  lacks?: "tokenizer";
  /** The readings that a person can choose from, the best first, where the evidence tells none. */
  readings?: ReadingCandidate[];
}

/** What the owner tells the engine process. To cancel, it kills the process. */
export type EngineCommand =
  /** The report is worded in `texts`; in English without. */
  | { type: "diagnose"; request: DiagnosisRequest; texts?: Texts }
  /** End after the layer batch at hand and report what has been measured. */
  | { type: "finish" };

/** What the diagnosis panel shows. The webview keeps navigation only and is sent the rest. */
export type PanelState =
  | { phase: "running"; name: string; progress: Progress; report?: Report; notices: string[] }
  | { phase: "done"; name: string; report: Report; notices: string[]; origin?: ReportOrigin }
  | {
      phase: "failed";
      name: string;
      failure: Failure;
      report?: Report;
      /** The report is the whole one of a run before, which the failed one leaves standing. */
      isEarlier?: true;
      notices: string[];
    }
  /** There is nothing to show; `reason` is a sentence or two. */
  | { phase: "empty"; name: string; reason: string; canRun: boolean; report?: never; notices: [] };

/** Where a report comes from that was not measured just now. */
export type ReportOrigin =
  /** `savedAt` is an ISO 8601 time; `isUnchanged`: what it measured was found to be the same still. */
  { kind: "stored"; savedAt: string; isUnchanged: boolean } | { kind: "file" };

/** What a panel gives back after a reload of the window. */
export interface PanelSource {
  /** Path of the checkpoint. */
  checkpoint: string;
  /** Key of the stored report on show; absent where none is stored. */
  reportKey?: string;
}

export type ExportFormat = "json" | "csv" | "png" | "html";

export type HostToPanel =
  /** `source` is kept by the webview for the next window; absent where the editor itself knows. */
  | { type: "state"; state: PanelState; source?: PanelSource }
  /** The host asks the panel for its charts as one PNG. */
  | { type: "renderPng"; requestId: number }
  /** A layer was chosen elsewhere; without one, let go of it. */
  | { type: "layer"; layer?: number }
  /** Go to what was measured where a norm is; `norm.path` has `*` for the layer index. */
  | { type: "norm"; norm: NormSummary };

export type PanelToHost =
  | { type: "ready" }
  | { type: "cancel" }
  | { type: "finish" }
  | { type: "runAgain" }
  /** A person wants token ids to be evaluated, as the checkpoint has no tokenizer. */
  | { type: "chooseTokens" }
  | { type: "export"; format: ExportFormat }
  /** A person chose a layer, or let go of it. */
  | { type: "layer"; layer?: number }
  /** `dataUrl` is a `data:image/png;base64,…` URL; `error` stands when drawing failed. */
  | { type: "png"; requestId: number; dataUrl?: string; error?: string };

/** Whether checkpoints are listed beside the charts, or there are only ones that .gitignore names. */
export type KnownCheckpoints = "listed" | "hidden" | "none";

/** What the charts of the side panel show. */
export type SideState =
  /** No report is near the file that is open, and none was chosen. */
  | { kind: "nothing"; checkpoints: KnownCheckpoints }
  /** The checkpoint nearest to the file that is open has not been measured. */
  | { kind: "unmeasured"; name: string }
  /** It is being measured, and no figure has come yet. */
  | { kind: "running"; name: string }
  | { kind: "report"; shown: SideReport };

export interface SideReport {
  name: string;
  report: Report;
  isRunning: boolean;
  /** It stays, whatever file is opened. */
  isPinned: boolean;
  /** When it was stored, as an ISO 8601 time; absent for a report that is not. */
  savedAt?: string;
}

export type HostToSide =
  | { type: "state"; state: SideState }
  /** A layer was chosen elsewhere: by the cursor in the code or in the diagnosis panel. */
  | { type: "layer"; layer?: number }
  /** The norm that the code under the cursor makes; without one, none. */
  | { type: "norm"; norm?: NormSummary };

export type SideToHost =
  | { type: "ready" }
  /** Open the report that is shown in the panel. */
  | { type: "open" }
  /** Diagnose the checkpoint that is not measured, or ask which. */
  | { type: "diagnose" }
  /** List the checkpoints that .gitignore names. */
  | { type: "showIgnored" }
  | { type: "layer"; layer?: number };
/** Where the diagnosis of a training run stands. */
export interface RunStatus {
  phase: "running" | "done" | "cancelled";
  /** The step being measured, and how many have been and are to be. */
  measuring?: number;
  finished: number;
  planned: number;
  /** Steps without a report, planned or not. */
  missing: number;
  /** Of the step being measured. */
  progress?: Progress;
  /** Names the diagnosis that has to end before that step is measured. */
  waitingFor?: string;
  /** True while new checkpoints are waited for. */
  isWatching: boolean;
  /** What a person should know: thresholds that were crossed, notices of single steps. */
  notices: string[];
}

export type HostToRun =
  /** One run, or two that lie beside each other; every message has a status for each. */
  | { type: "runs"; runs: NamedRun[]; statuses: RunStatus[] }
  /**
   * A step that came anew or got its report; the one of the same step is replaced. `place` is that of
   * its run among the runs.
   */
  | { type: "step"; place: number; step: RunStepReport; statuses: RunStatus[] }
  | { type: "status"; statuses: RunStatus[] };

export type RunToHost =
  | { type: "ready" }
  | { type: "cancel" }
  /** Measure what is missing, and look for new steps and losses. */
  | { type: "resume" }
  | { type: "watch" }
  | { type: "stopWatching" }
  /** Ask which run to lay beside this one. */
  | { type: "chooseOther" }
  | { type: "dropOther" }
  /** `png` is the page as a `data:image/png;base64,…` URL, for that format only. */
  | { type: "export"; format: ExportFormat; png?: string }
  | { type: "failed"; message: string };
