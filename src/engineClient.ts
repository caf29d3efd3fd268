/**
 * Starts the engine process and speaks its protocol. The process owns ONNX Runtime, so a run can be
 * cancelled at once by killing it, and running out of memory costs the run, not its owner.
 */
import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { t } from "@vscode/l10n";
import type {
  DiagnosisRequest,
  EngineCommand,
  EngineEvent,
  EngineMessage,
  Failure,
  Progress,
} from "./protocol/messages";
import type { Report } from "./diagnosis/report";
import { unpackReport } from "./report/packedReport";
import { textsInUse } from "./report/texts";

export type Outcome = { ok: true; report: Report } | { ok: false; failure: Failure };

export interface EngineRun {
  /** Settles once, when the process has ended; never rejects. */
  readonly outcome: Promise<Outcome>;
  /** Asks for an early end with what has been measured; the outcome is then a report. */
  finish(): void;
  /** Kills the process; the outcome is then a failure with the reason `interrupted`. */
  cancel(): void;
}

/**
 * Runs one diagnosis in a process of its own. A device that fails, or whose driver brings the process
 * down while it is tried, costs a restart on the CPU, which the owner and the report are told of.
 *
 * @param enginePath the bundled engine, `dist/engine.js`
 * @param onEvent called for each progress, notice and partial report, in order
 */
export function startEngine(
  enginePath: string,
  request: DiagnosisRequest,
  onEvent: (event: EngineEvent) => void,
): EngineRun {
  let current = new EngineProcess(enginePath, request, onEvent);
  let isCancelled = false;
  let isFinishAsked = false;
  const run = async (): Promise<Outcome> => {
    const first = await current.outcome;
    const cause = isCancelled || first.ok ? undefined : deviceTrouble(first.failure, current.stage);
    if (cause === undefined || request.device === "cpu") return first;
    const notice = t(
      "Device {0} was given up: {1}; the CPU is used instead.",
      request.device,
      cause,
    );
    onEvent({ type: "notice", text: notice });
    current = new EngineProcess(
      enginePath,
      { ...request, device: "cpu", notices: [...(request.notices ?? []), notice] },
      onEvent,
    );
    if (isFinishAsked) current.send({ type: "finish" });
    return current.outcome;
  };
  return {
    outcome: run(),
    finish: () => {
      isFinishAsked = true;
      current.send({ type: "finish" });
    },
    cancel: () => {
      isCancelled = true;
      current.cancel();
    },
  };
}

/** What went wrong with a device, if that is why a run failed. */
function deviceTrouble(failure: Failure, stage: Progress["stage"]): string | undefined {
  if (failure.reason === "device") return failure.message;
  return failure.reason === "killed" && stage === "device"
    ? t("trying it brought the engine process down")
    : undefined;
}

class EngineProcess {
  readonly outcome: Promise<Outcome>;
  /** The stage it was last heard of in. */
  stage: Progress["stage"] = "opening";
  private readonly child: ChildProcess;
  private end: Outcome | undefined;
  private isCancelled = false;
  /** Native code complains on standard error just before it dies; the last line is worth quoting. */
  private lastWords = "";

  constructor(
    enginePath: string,
    request: DiagnosisRequest,
    private readonly onEvent: (event: EngineEvent) => void,
  ) {
    this.child = fork(enginePath, [], {
      // Under the editor process.execPath is Electron, which this turns into plain Node.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      this.lastWords = (this.lastWords + chunk).slice(-2000);
    });
    this.child.on("message", (message: EngineMessage) => {
      this.hear(
        "report" in message ? { ...message, report: unpackReport(message.report) } : message,
      );
    });
    this.outcome = new Promise((resolve) => {
      this.child.on("error", (error) => {
        resolve(this.settled(t("The engine process could not be started: {0}.", error.message)));
      });
      this.child.on("close", (code, signal) => {
        resolve(this.settled(this.epitaph(code, signal)));
      });
    });
    const texts = textsInUse();
    this.send({ type: "diagnose", request, ...(texts && { texts }) });
  }

  send(command: EngineCommand): void {
    // A process that is gone is heard of through its outcome.
    if (this.child.connected) this.child.send(command, () => undefined);
  }

  cancel(): void {
    this.isCancelled = true;
    this.child.kill("SIGKILL");
  }

  private hear(event: EngineEvent): void {
    if (event.type === "progress") this.stage = event.progress.stage;
    else if (event.type === "finished") this.end = { ok: true, report: event.report };
    else if (event.type === "failed") this.end = { ok: false, failure: event.failure };
    if (!this.isCancelled) this.onEvent(event);
  }

  private settled(message: string): Outcome {
    if (this.isCancelled) return failed("interrupted", t("The diagnosis was cancelled."));
    return this.end ?? failed("killed", message);
  }

  private epitaph(code: number | null, signal: NodeJS.Signals | null): string {
    if (signal === "SIGKILL") {
      // Killed from outside: what it said before has nothing to do with it.
      return t(
        "The engine process died by {0} before the diagnosis was done. The system may have run out of memory: try a smaller memory budget or fewer tokens.",
        signal,
      );
    }
    const words = this.lastWords.trim().split("\n").at(-1)?.trim();
    const ending = signal ?? String(code ?? t("unknown"));
    if (words === undefined || words === "") {
      return signal === null
        ? t("The engine process exited with code {0} before the diagnosis was done.", ending)
        : t("The engine process died by {0} before the diagnosis was done.", ending);
    }
    return signal === null
      ? t(
          "The engine process exited with code {0} before the diagnosis was done ({1}).",
          ending,
          words,
        )
      : t("The engine process died by {0} before the diagnosis was done ({1}).", ending, words);
  }
}

function failed(reason: Failure["reason"], message: string): Outcome {
  return { ok: false, failure: { reason, message } };
}
