import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Outcome } from "../../../src/engineClient";
import { startEngine } from "../../../src/engineClient";
import type { DiagnosisRequest, EngineEvent } from "../../../src/protocol/messages";
import { useTexts } from "../../../src/report/texts";
import { fixture } from "../support/checkpoints";
import { enginePath, ensureBuilt } from "../support/cli";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();

function requestOf(changes: Partial<DiagnosisRequest> = {}): DiagnosisRequest {
  return {
    checkpoint: fixture("llama"),
    texts: { kind: "tokens", file: join(fixture("llama"), "tokens.json") },
    sequenceLength: 256,
    sequenceLengthIsExplicit: false,
    maxTokens: 2048,
    maxTokensIsExplicit: false,
    metrics: ["variance", "pruning"],
    probes: 2,
    device: "cpu",
    threads: 1,
    seed: 0,
    ...changes,
  };
}

/** An engine that does what a few lines of script say, to be told apart from the real one's faults. */
function engineOf(script: string): string {
  const file = join(scratch(), "engine.cjs");
  writeFileSync(file, script);
  return file;
}

function listen(): { events: EngineEvent[]; onEvent: (event: EngineEvent) => void } {
  const events: EngineEvent[] = [];
  return { events, onEvent: (event) => events.push(event) };
}

function failureOf(outcome: Outcome): { reason: string; message: string } {
  expect(outcome.ok).toBe(false);
  return (outcome as Extract<Outcome, { ok: false }>).failure;
}

type Succeeded = Extract<Outcome, { ok: true }>;

describe("the real engine", () => {
  beforeAll(ensureBuilt);

  it("tells progress, partial reports and the end, in that order", async () => {
    const { events, onEvent } = listen();
    const outcome = await startEngine(enginePath, requestOf(), onEvent).outcome;
    expect(outcome.ok).toBe(true);
    const stages = events.flatMap((event) =>
      event.type === "progress" ? [event.progress.stage] : [],
    );
    expect([...new Set(stages)]).toEqual(["opening", "device", "embedding", "layer", "head"]);
    const reports = events.filter(({ type }) => type === "report");
    expect(reports.length).toBeGreaterThanOrEqual(4);
    expect(events.at(-1)!.type).toBe("finished");
    const fractions = events.flatMap((event) =>
      event.type === "progress" ? [event.progress.fraction] : [],
    );
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
  });

  it("words the report in its owner's language, and says which that is", async () => {
    const [english, german] = [
      "{0} threads are used: this machine runs no more at a time.",
      "Mit {0} Threads.",
    ];
    useTexts({ language: "de", bundle: { [english]: german } });
    try {
      const { onEvent } = listen();
      const request = requestOf({ threads: 100_000 });
      const { report } = (await startEngine(enginePath, request, onEvent).outcome) as Succeeded;
      expect(report.language).toBe("de");
      expect(report.findings.map(({ text }) => text)).toContainEqual(
        expect.stringMatching(/^Mit \d+ Threads\.$/),
      );
    } finally {
      useTexts(undefined);
    }
  });

  it("asked to finish ends early with what it has measured", async () => {
    const request = requestOf({ metrics: ["variance", "jacobian", "pruning"], probes: 3000 });
    const run = startEngine(enginePath, request, (event) => {
      if (event.type === "report") run.finish();
    });
    const outcome = await run.outcome;
    expect(outcome.ok).toBe(true);
    const { report } = outcome as Succeeded;
    expect(report.layers[0]!.jacobian).toBeDefined();
    expect(report.layers.at(-1)!.unmeasured![0]!.reason).toContain("stopped");
  });

  it("cancelled is gone at once and says no more", async () => {
    const { events, onEvent } = listen();
    const run = startEngine(
      enginePath,
      requestOf({ metrics: ["jacobian"], probes: 5_000_000, memoryBytes: 2 ** 22 }),
      (event) => {
        onEvent(event);
        if (event.type === "progress" && event.progress.stage === "layer") run.cancel();
      },
    );
    const failure = failureOf(await run.outcome);
    expect(failure.reason).toBe("interrupted");
    const last = events.at(-1)!;
    expect(last.type === "progress" && last.progress.stage).toBe("layer");
  });

  it.each<[string, Partial<DiagnosisRequest>, string, string]>([
    ["usage", { scheme: "keel" }, "usage", 'Norm scheme "keel" is unknown'],
    ["the text", { texts: { kind: "tokens", file: "/gone.json" } }, "usage", "/gone.json"],
    ["the checkpoint", { checkpoint: "/gone" }, "checkpoint", "/gone: does not exist"],
  ])("tells failures apart: %s", async (_, changes, reason, words) => {
    const { onEvent } = listen();
    const failure = failureOf(await startEngine(enginePath, requestOf(changes), onEvent).outcome);
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain("\n");
  });
});

describe("an engine that fails", () => {
  const progress = (stage: string): string =>
    `process.send({ type: "progress", progress: { stage: "${stage}", fraction: 0 } })`;

  it("by exiting is told by its code and its last words", async () => {
    const engine = engineOf(`process.on("message", () => {
      process.stderr.write("first line\\nterminate called: bad_alloc\\n", () => process.exit(9));
    });`);
    const { onEvent } = listen();
    const failure = failureOf(await startEngine(engine, requestOf(), onEvent).outcome);
    expect(failure).toEqual({
      reason: "killed",
      message:
        "The engine process exited with code 9 before the diagnosis was done (terminate called: bad_alloc).",
    });
  });

  it("by not being there is told too", async () => {
    const { onEvent } = listen();
    const missing = join(scratch(), "gone.js");
    const failure = failureOf(await startEngine(missing, requestOf(), onEvent).outcome);
    expect(failure.reason).toBe("killed");
  });

  it("while a device is tried is started again on the CPU, and that is told", async () => {
    const engine = engineOf(`process.on("message", ({ request }) => {
      if (request.device === "cpu") {
        const report = { told: request.notices };
        process.send({ type: "finished", report }, () => process.disconnect());
      } else ${progress("device")}, setTimeout(() => process.kill(process.pid, "SIGSEGV"), 50);
    });`);
    await expectRestart(engine, "trying it brought the engine process down");
  });

  it("on a device that runs, but fails, is started again on the CPU, and that is told", async () => {
    const engine = engineOf(`process.on("message", ({ request }) => {
      const end = request.device === "cpu"
        ? { type: "finished", report: { told: request.notices } }
        : { type: "failed", failure: { reason: "device", message: "out of its memory" } };
      process.send(end, () => process.disconnect());
    });`);
    await expectRestart(engine, "out of its memory");
  });

  const expectRestart = async (engine: string, cause: string): Promise<void> => {
    const { events, onEvent } = listen();
    const outcome = await startEngine(engine, requestOf({ device: "webgpu" }), onEvent).outcome;
    const text = `Device webgpu was given up: ${cause}; the CPU is used instead.`;
    expect(outcome).toEqual({ ok: true, report: { told: [text] } });
    expect(events.filter(({ type }) => type === "notice")).toEqual([{ type: "notice", text }]);
  };

  it("later on is not started again", async () => {
    const engine = engineOf(`process.on("message", () => {
      ${progress("layer")}, setTimeout(() => process.kill(process.pid, "SIGSEGV"), 50);
    });`);
    const { events, onEvent } = listen();
    const run = startEngine(engine, requestOf({ device: "auto" }), onEvent);
    expect(failureOf(await run.outcome).message).toContain("died by SIGSEGV");
    expect(events).toHaveLength(1);
  });

  it("cancelled while a device is tried stays cancelled", async () => {
    const engine = engineOf(`process.on("message", () => ${progress("device")});`);
    const run = startEngine(engine, requestOf({ device: "auto" }), () => {
      run.cancel();
    });
    expect(failureOf(await run.outcome).reason).toBe("interrupted");
  });
});
