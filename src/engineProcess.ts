/** The engine process: one diagnosis from request to report, told to the owner as it goes. */
import { availableParallelism } from "node:os";
import { t } from "@vscode/l10n";
import { isStack, stacks } from "./architecture/description";
import { readArchitecture } from "./architecture/readArchitecture";
import { isSchemeName, schemeNames } from "./architecture/schemes";
import { verifyCopies } from "./architecture/verifyCopies";
import { commonFolder } from "./checkpoint/commonFolder";
import { CheckpointError, messageOf } from "./checkpoint/errors";
import { fingerprintOf } from "./checkpoint/fingerprint";
import { openCheckpoint } from "./checkpoint/open";
import type { DiagnosisStage } from "./diagnosis/diagnose";
import { diagnose } from "./diagnosis/diagnose";
import { withImplied } from "./diagnosis/plan";
import { readingSummary } from "./diagnosis/readings/readingSummary";
import { settleReading } from "./diagnosis/readings/settleReading";
import { mostTokensCompared } from "./diagnosis/readings/tokensCompared";
import { UndecidedReadingError } from "./diagnosis/readings/undecided";
import type { Report, RuntimeSummary } from "./diagnosis/report";
import { EngineError } from "./engine/executor";
import { onnxRuntimeExecutor } from "./engine/onnxRuntime";
import { chooseProvider } from "./engine/providers";
import type {
  DiagnosisRequest,
  EngineCommand,
  EngineEvent,
  EngineMessage,
  Failure,
  Progress,
} from "./protocol/messages";
import { findingsOf } from "./report/findings";
import { packReport } from "./report/packedReport";
import { english, languageInUse, useTexts } from "./report/texts";
import { readDocuments } from "./text/documents";
import { TextError } from "./text/errors";
import { withoutLabels } from "./text/images";
import { withMaskToken, withObjectiveTokens } from "./text/objectiveTokens";

let finishAsked = false;

process.on("message", (command: EngineCommand) => {
  if (command.type === "finish") {
    finishAsked = true;
    return;
  }
  useTexts(command.texts);
  run(command.request)
    .then(
      (report) => send({ type: "finished", report }),
      (error: unknown) => send({ type: "failed", failure: failureOf(error) }),
    )
    .finally(() => {
      process.disconnect();
    });
});
// Without an owner there is nobody to tell, and nothing to compute for.
process.on("disconnect", () => process.exit());

async function run(request: DiagnosisRequest): Promise<Report> {
  const start = performance.now();
  const progress = new ProgressTeller();
  progress.tell({ stage: "opening" });
  if (request.scheme !== undefined && !isSchemeName(request.scheme)) {
    throw new UsageError(
      `Norm scheme "${request.scheme}" is unknown; expected one of ${schemeNames.join(", ")}.`,
    );
  }
  const { stack } = request;
  if (stack !== undefined && !isStack(stack)) {
    throw new UsageError(`Stack "${stack}" is unknown; expected one of ${stacks.join(", ")}.`);
  }
  const checkpoint = await openCheckpoint(request.checkpoint);
  const read = await readArchitecture(checkpoint, {
    scheme: request.scheme,
    stack,
    settings: request.reading ?? {},
    chosen: request.chosenReading ?? {},
  });
  const proposal = await withMaskToken(read, checkpoint);
  const likeliest = await withObjectiveTokens(proposal.architecture({}), checkpoint);
  await verifyCopies(likeliest);
  const fingerprint = request.fingerprint ?? fingerprintOf(checkpoint);
  const { sequences, source, sequenceLength } = await readDocuments(request, checkpoint, likeliest);

  progress.tell({ stage: "device" });
  // ONNX Runtime starts as many as it is told to, and waits for each of them at every operator.
  const threads = request.threads && Math.min(request.threads, availableParallelism());
  const weightsFolder = commonFolder(checkpoint.tensors.values());
  const executorOn = (provider: string) =>
    onnxRuntimeExecutor({ provider, threads, weightsFolder });
  const { provider, notices: deviceNotices } = await chooseProvider(request.device, executorOn);
  const memoryBytes = request.memoryBytes ?? process.availableMemory() / 2;
  // Readings may take more text to be told apart than is evaluated.
  const maxTokens = Math.max(request.maxTokens, mostTokensCompared);
  const evidence =
    proposal.open.length > 0
      ? await readDocuments({ ...request, maxTokens }, checkpoint, likeliest)
      : { sequences };
  const settlement = await settleReading(
    request.checkpoint,
    proposal,
    evidence.sequences,
    onnxRuntimeExecutor({ provider, threads, weightsFolder, rewritesGraphs: false }),
    {
      runBytes: memoryBytes * 0.4,
      onCandidate: async (reading, readings) => {
        progress.tell({ stage: "readings", reading, readings });
        await new Promise((resolve) => setImmediate(resolve));
      },
    },
  );
  const settled = await withObjectiveTokens(settlement.architecture, checkpoint);
  const architecture = withoutLabels(settled, sequences);
  const notices = [...deviceNotices, ...(architecture.notices ?? [])];
  const { name, overruled } = architecture.scheme;
  if (overruled !== undefined) {
    notices.push(
      t("config.json states the norm scheme {0}; measured as {1}, as asked.", overruled, name),
    );
  }
  if (threads !== undefined && threads !== request.threads) {
    notices.push(t("{0} threads are used: this machine runs no more at a time.", threads));
  }
  for (const text of notices) await send({ type: "notice", text });

  const runtime = (): RuntimeSummary => ({
    device: provider,
    threads: threads ?? availableParallelism(),
    seconds: (performance.now() - start) / 1000,
    peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  });
  const complete = (report: Report): Report => ({
    ...report,
    ...(languageInUse() !== english && { language: languageInUse() }),
    findings: [
      ...findingsOf(report),
      ...report.findings,
      ...[...(request.notices ?? []), ...notices].map((text) => ({
        kind: "notice" as const,
        layers: [],
        text,
      })),
    ],
  });
  let isBudgetTold = false;
  const report = await diagnose(
    {
      checkpoint,
      fingerprint: await fingerprint,
      architecture,
      reading: readingSummary(proposal, settlement),
      sequences,
      source,
      sequenceLength,
      metrics: withImplied(request.metrics),
      probes: request.probes,
      seed: request.seed,
      memoryBytes,
    },
    executorOn(provider),
    runtime,
    {
      onStage: async (stage) => {
        // Not before: a budget that nothing fits in is refused, and that says it all.
        if (!isBudgetTold) tellOfBudget(request);
        isBudgetTold = true;
        progress.tell(stageOf(stage, architecture.layers.length));
        // ONNX Runtime blocks this thread while it runs; here the owner's commands come in.
        await new Promise((resolve) => setImmediate(resolve));
        return finishAsked ? "stop" : "go on";
      },
      onWork: (fraction) => {
        progress.advance(fraction);
      },
      onReport: (partial) => void send({ type: "report", report: complete(partial) }),
      onNotice: (text) => void send({ type: "notice", text }),
    },
  );
  return complete(report);
}

/** Peak memory of a run on a checkpoint of a few kilobytes: that of the engine itself. */
const engineBytes = 192 * 2 ** 20;

/** The budget is for layers and activations: one below the engine itself cannot hold for the whole. */
function tellOfBudget({ memoryBytes }: DiagnosisRequest): void {
  if (memoryBytes === undefined || memoryBytes >= engineBytes) return;
  const [budget, engine] = [memoryBytes, engineBytes].map(
    (bytes) => `${Number((bytes / 2 ** 20).toPrecision(3))} MiB`,
  );
  void send({
    type: "notice",
    text: t(
      "The memory budget is {0}, but the engine by itself takes about {1}. Layers and activations are kept within the budget; the smallest that holds for the whole run is about {1} and what one layer takes.",
      budget!,
      engine!,
    ),
  });
}

class UsageError extends Error {}

function failureOf(error: unknown): Failure {
  const message = messageOf(error).split("\n")[0]!;
  if (error instanceof TextError && error.lacks !== undefined) {
    return { reason: "usage", message, lacks: error.lacks };
  }
  if (error instanceof UsageError || error instanceof TextError) {
    return { reason: "usage", message };
  }
  if (error instanceof UndecidedReadingError) {
    const readings = error.candidates.map(({ settings, nll }) => ({
      settings: { ...settings },
      ...(nll !== undefined && { nll }),
    }));
    return { reason: "checkpoint", message, ...(readings.length > 0 && { readings }) };
  }
  if (error instanceof CheckpointError) return { reason: "checkpoint", message };
  if (error instanceof EngineError && error.provider !== "cpu")
    return { reason: "device", message };
  return { reason: "run", message };
}

/** What the work on the weights begins with. */
const workStages: ReadonlySet<Progress["stage"]> = new Set(["encoder", "embedding"]);

type Stage = Omit<Progress, "fraction" | "remainingSeconds">;

function stageOf({ part, batch, batches }: DiagnosisStage, layers: number): Stage {
  return typeof part === "number"
    ? { stage: "layer", layer: part, layers, batch, batches }
    : { stage: part, batch, batches };
}

/** Tells the owner where the run stands, at most ten times a second within one stage. */
class ProgressTeller {
  private stage: Stage = { stage: "opening" };
  private fraction = 0;
  private workBegan: number | undefined;
  private lastTold = 0;

  tell(stage: Stage): void {
    this.stage = stage;
    this.send();
  }

  advance(fraction: number): void {
    this.fraction = fraction;
    if (performance.now() - this.lastTold >= 100) this.send();
  }

  private send(): void {
    const now = performance.now();
    this.lastTold = now;
    if (workStages.has(this.stage.stage)) this.workBegan ??= now;
    void send({
      type: "progress",
      progress: { ...this.stage, fraction: this.fraction, ...this.remaining(now) },
    });
  }

  /** By the rate so far; no guess before there is a rate. */
  private remaining(now: number): { remainingSeconds: number } | undefined {
    if (this.workBegan === undefined || this.fraction < 0.02) return undefined;
    const elapsed = (now - this.workBegan) / 1000;
    return { remainingSeconds: (elapsed * (1 - this.fraction)) / this.fraction };
  }
}

/** Settles when the message has been handed over; an owner that is gone wants none. */
function send(event: EngineEvent): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else {
      const message: EngineMessage =
        "report" in event ? { ...event, report: packReport(event.report) } : event;
      process.send(message, () => {
        resolve();
      });
    }
  });
}
