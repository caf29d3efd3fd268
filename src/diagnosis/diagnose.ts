import { t } from "@vscode/l10n";
import type { Architecture } from "../architecture/description";
import { isPatchEmbedding, tensorsOf } from "../architecture/description";
import type { Checkpoint } from "../checkpoint/checkpoint";
import { findNonFinite } from "../checkpoint/finite";
import type { Executor } from "../engine/executor";
import type { Sequence } from "../text/documents";
import { sourceOf } from "./encoderMemory";
import { Measurements } from "./measurements";
import type { EvaluatedSequence } from "./objective";
import { evaluatedSequences, whyNoLoss } from "./objective";
import { batchCost, planBatches, withoutRemovals } from "./plan";
import type { Metric, ReadingSummary, Report, RuntimeSummary } from "./report";
import { assembleReport, noticeFindings, streamPartName } from "./reportAssembly";
import type { StreamPart, SweepEnd } from "./sweep";
import { sweep } from "./sweep";

export interface DiagnosisInput {
  readonly checkpoint: Checkpoint;
  /** Of the checkpoint's content. */
  readonly fingerprint: string;
  readonly architecture: Architecture;
  /** How that was found out, for the report. */
  readonly reading?: ReadingSummary;
  readonly sequences: readonly Sequence[];
  /** Where they came from, for the report. */
  readonly source: string;
  readonly sequenceLength: number;
  readonly metrics: ReadonlySet<Metric>;
  readonly probes: number;
  readonly seed: number;
  /** Memory that weights and activations may take together, in bytes. */
  readonly memoryBytes: number;
}

/** What a diagnosis tells while it goes on. */
export interface DiagnosisObserver {
  /** Called before each layer, the embedding and the head of each batch; "stop" ends the run early. */
  readonly onStage: (stage: DiagnosisStage) => Promise<"go on" | "stop">;
  readonly onWork: (fraction: number) => void;
  /** A whole report of what has been measured so far. */
  readonly onReport: (report: Report) => void;
  readonly onNotice: (text: string) => void;
}

export interface DiagnosisStage {
  readonly part: StreamPart;
  /** Batch, from 1, of how many. */
  readonly batch: number;
  readonly batches: number;
}

/**
 * Measures every layer of a checkpoint, batch of sequences after batch. After the first batch every
 * figure is there with its standard error, and each further batch narrows it; stopping early keeps
 * what whole batches have measured (or, within the first batch, what its layers have).
 *
 * @param runtime how the run stands: device, time and memory, asked for each report
 */
export async function diagnose(
  input: DiagnosisInput,
  executor: Executor,
  runtime: () => RuntimeSummary,
  observer: DiagnosisObserver,
): Promise<Report> {
  const { architecture } = input;
  const measurements = new Measurements(architecture.layers.length);
  // Without predictions there is no loss for a removal to change.
  const metrics = whyNoLoss(architecture) ? withoutRemovals(input.metrics) : input.metrics;
  const evaluated = evaluatedSequences(input.sequences, architecture, input.seed);
  const plan = planBatches({ ...input, metrics }, evaluated.length, {
    tokens: longest(evaluated.map(({ tokens }) => tokens)),
    source: architecture.encoder ? longest(evaluated.map(sourceOf)) : 0,
  });
  const batches = cut(evaluated, plan.batches);
  const total = batchCost({ ...input, metrics }, evaluated.length);
  let done = 0;
  let measuredSequences = 0;
  let latest: Report | undefined;
  /** Where the stream left the finite numbers in the first batch; later ones are swept up to there. */
  let overflow: StreamPart | undefined;
  const notices: string[] = [];

  const assemble = (measured: number, end: SweepEnd | undefined): Report => {
    const sequences = evaluated.slice(0, measured);
    return assembleReport(input, { measurements, sequences, end, notices, runtime: runtime() });
  };
  for (const [number, batch] of batches.entries()) {
    const isFirst = number === 0;
    const end = await sweep(
      architecture,
      batch,
      executor,
      {
        metrics: overflow === undefined ? metrics : withoutRemovals(metrics),
        probes: input.probes,
        seed: input.seed,
        runBytes: plan.runBytes,
        ...(overflow !== undefined && { upTo: overflow }),
      },
      measurements,
      {
        onStage: (part) => observer.onStage({ part, batch: number + 1, batches: batches.length }),
        onWork: (cost) => {
          done += cost;
          observer.onWork(Math.min(1, done / total));
        },
        onLayerMeasured: () => {
          // Later batches would mix layers measured on more sequences with layers measured on fewer.
          if (isFirst) observer.onReport(assemble(batch.length, undefined));
        },
      },
    );
    if (end.kind === "stopped") {
      return latest === undefined ? assemble(batch.length, end) : { ...latest, runtime: runtime() };
    }
    if (end.kind === "nonFinite" && end.at !== overflow) {
      const cause = await explainNonFinite(input, end.at);
      const notice = isFirst
        ? cause
        : t(
            "{0} This was met after {1} of {2} sequences, whose figures stand.",
            cause,
            measuredSequences,
            input.sequences.length,
          );
      notices.push(notice);
      observer.onNotice(notice);
      if (latest !== undefined) {
        return { ...latest, runtime: runtime(), findings: noticeFindings(notices) };
      }
      overflow = end.at;
    }
    measuredSequences += batch.length;
    latest = assemble(measuredSequences, end);
    observer.onReport(latest);
  }
  const unused = overflow === undefined ? await findUnusedNonFinite(input) : undefined;
  if (unused !== undefined) {
    notices.push(unused);
    observer.onNotice(unused);
  }
  return { ...latest!, runtime: runtime(), findings: noticeFindings(notices) };
}

function longest(sequences: readonly (readonly number[])[]): number {
  return sequences.reduce((most, { length }) => Math.max(most, length), 0);
}

/** The sequences in batches of these sizes. */
function cut(
  sequences: readonly EvaluatedSequence[],
  sizes: readonly number[],
): EvaluatedSequence[][] {
  let from = 0;
  return sizes.map((size) => sequences.slice(from, (from += size)));
}

/**
 * Every other weight reaches the stream or the logits, and spoils them if it is not finite; a row of
 * the embedding does so only where a document has its token.
 */
async function findUnusedNonFinite({
  checkpoint,
  architecture,
}: DiagnosisInput): Promise<string | undefined> {
  const { embedding } = architecture;
  // Every weight of a patch embedding is used.
  if (isPatchEmbedding(embedding)) return undefined;
  const [name] = await findNonFinite([embedding.tokens]);
  return name === undefined
    ? undefined
    : t(
        "{0}: {1} holds NaN or infinite weights, in rows that no evaluated token uses; the figures stand.",
        checkpoint.path,
        name,
      );
}

/** Says which weights are not finite, having found that the stream is not. */
async function explainNonFinite(
  { checkpoint, architecture }: DiagnosisInput,
  at: StreamPart,
): Promise<string> {
  const names = await findNonFinite(tensorsOf(architecture));
  const where = streamPartName(architecture, at);
  const { path } = checkpoint;
  if (names.length === 0) {
    return t("{0}: activations overflow in {1} although every weight is finite.", path, where);
  }
  const all = names.join(", ");
  return names.length === 1
    ? t(
        "{0}: {1} holds NaN or infinite weights; activations are not finite from {2} on.",
        path,
        all,
        where,
      )
    : t(
        "{0}: {1} hold NaN or infinite weights; activations are not finite from {2} on.",
        path,
        all,
        where,
      );
}
