/**
 * Starts the engine process and speaks its protocol. The process owns ONNX Runtime, so a run can be
 * cancelled at once by killing it, and running out of memory costs the run, not its owner.
 */
import { fork } from "node:child_process";
import type { DiagnosisRequest, EngineCommand, EngineEvent, Failure } from "../protocol/messages";
import type { Report } from "../diagnosis/report";

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
 * Runs one diagnosis in a process of its own.
 *
 * @param enginePath the bundled engine, `dist/engine.js`
 * @param onEvent called for each progress, notice and partial report, in order
 */
export function startEngine(
  enginePath: string,
  request: DiagnosisRequest,
  onEvent: (event: EngineEvent) => void,
): EngineRun {
  const child = fork(enginePath, [], {
    // Under the editor process.execPath is Electron, which this turns into plain Node.
    env: { ...process.env, ELECTRON_RUN_AS_NODE: "1" },
    execArgv: [],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let cancelled = false;
  let end: Outcome | undefined;
  // Native code complains on standard error just before it dies; the last line is worth quoting.
  let lastWords = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    lastWords = (lastWords + chunk).slice(-2000);
  });
  child.on("message", (event: EngineEvent) => {
    if (event.type === "finished") end = { ok: true, report: event.report };
    else if (event.type === "failed") end = { ok: false, failure: event.failure };
    if (!cancelled) onEvent(event);
  });
  const send = (command: EngineCommand): void => {
    if (child.connected) child.send(command);
  };
  const outcome = new Promise<Outcome>((resolve) => {
    const settle = (message: string): void => {
      if (cancelled) {
        resolve(failed("interrupted", "The diagnosis was cancelled."));
      } else {
        resolve(end ?? failed("killed", message));
      }
    };
    child.on("error", (error) => {
      settle(`The engine process could not be started: ${error.message}.`);
    });
    child.on("close", (code, signal) => {
      const how = signal === null ? `exited with code ${code ?? "unknown"}` : `died by ${signal}`;
      const words = lastWords.trim().split("\n").at(-1);
      const memory =
        signal === "SIGKILL"
          ? " The system may have run out of memory: try a smaller memory budget or fewer tokens."
          : "";
      settle(
        `The engine process ${how} before the diagnosis was done${words ? ` (${words})` : ""}.${memory}`,
      );
    });
  });
  send({ type: "diagnose", request });
  return {
    outcome,
    finish: () => {
      send({ type: "finish" });
    },
    cancel: () => {
      cancelled = true;
      child.kill("SIGKILL");
    },
  };
}

function failed(reason: Failure["reason"], message: string): Outcome {
  return { ok: false, failure: { reason, message } };
}
