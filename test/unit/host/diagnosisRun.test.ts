import { describe, expect, test } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import type { EngineRun, Outcome } from "../../../src/engineClient";
import { DiagnosisRun, withEarlier } from "../../../src/host/diagnosisRun";
import type { Recalled } from "../../../src/host/reports/reportMemory";
import { Turnstile } from "../../../src/host/turnstile";
import type { DiagnosisRequest, EngineEvent, PanelState } from "../../../src/protocol/messages";

const request = { checkpoint: "/c" } as DiagnosisRequest;
const report = {
  schemaVersion: 1,
  evaluation: { documents: 8, plannedDocuments: 8 },
  layers: [] as Report["layers"],
} as Report;

/** An engine that does what the test says, when it says so. */
class EngineByHand {
  emit: (event: EngineEvent) => void = () => undefined;
  end: (outcome: Outcome) => void = () => undefined;
  readonly calls: string[] = [];
  request: DiagnosisRequest | undefined;

  readonly start = (
    request: DiagnosisRequest,
    onEvent: (event: EngineEvent) => void,
  ): EngineRun => {
    this.calls.push("start");
    this.request = request;
    this.emit = onEvent;
    return {
      outcome: new Promise((resolve) => {
        this.end = resolve;
      }),
      finish: () => this.calls.push("finish"),
      cancel: () => {
        this.calls.push("cancel");
        this.end({ ok: false, failure: { reason: "interrupted", message: "cancelled" } });
      },
    };
  };
}

function runWith(
  turnstile: Turnstile,
  name = "a",
  recall?: (signal: AbortSignal) => Promise<Recalled>,
): {
  engine: EngineByHand;
  run: DiagnosisRun;
  states: PanelState[];
  keys: (string | undefined)[];
  waits: (string | undefined)[];
  notices: string[];
} {
  const engine = new EngineByHand();
  const states: PanelState[] = [];
  const keys: (string | undefined)[] = [];
  const waits: (string | undefined)[] = [];
  const notices: string[] = [];
  const observer = {
    state: (state: PanelState, key?: string) => {
      states.push(state);
      keys.push(key);
    },
    progress: (_: unknown, waitingFor?: string) => waits.push(waitingFor),
    notice: (text: string) => notices.push(text),
  };
  const run = new DiagnosisRun(name, request, engine.start, turnstile, observer, recall);
  return { engine, run, states, keys, waits, notices };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("DiagnosisRun", () => {
  test("shows what comes and ends with the report", async () => {
    const { engine, run, states } = runWith(new Turnstile());
    const outcome = run.run();
    await settled();
    engine.emit({
      type: "progress",
      progress: { stage: "layer", layer: 0, layers: 2, fraction: 0 },
    });
    engine.emit({ type: "notice", text: "No GPU." });
    engine.emit({ type: "report", report });
    engine.end({ ok: true, report });
    expect(await outcome).toEqual({ ok: true, report });
    expect(states.at(-2)).toMatchObject({
      phase: "running",
      progress: { stage: "layer", layer: 0 },
      report,
      notices: ["No GPU."],
    });
    expect(states.at(-1)).toEqual({ phase: "done", name: "a", report, notices: ["No GPU."] });
  });

  test("a failure keeps what was measured", async () => {
    const { engine, run, states } = runWith(new Turnstile());
    const outcome = run.run();
    await settled();
    engine.emit({ type: "report", report });
    const failure = { reason: "killed", message: "It died." } as const;
    engine.end({ ok: false, failure });
    await outcome;
    expect(states.at(-1)).toMatchObject({ phase: "failed", failure, report });
  });

  test("what a failed run has not measured is not to come", async () => {
    const { engine, run, states } = runWith(new Turnstile());
    const outcome = run.run();
    await settled();
    const unmeasured = ["not measured yet", "not finite"].map((reason) => ({
      metric: "pruning" as const,
      reason,
    }));
    const layers = [{ index: 0, path: "layers.0", unmeasured }];
    engine.emit({ type: "report", report: { ...report, layers } });
    engine.end({ ok: false, failure: { reason: "killed", message: "It died." } });
    await outcome;
    expect(states.at(-1)!.report!.layers[0]!.unmeasured!.map(({ reason }) => reason)).toEqual([
      "not measured before the run ended",
      "not finite",
    ]);
  });

  test("an engine that cannot be started is a failure, and the turn passes on", async () => {
    const turnstile = new Turnstile();
    const run = new DiagnosisRun(
      "a",
      request,
      () => {
        throw new Error("no such file");
      },
      turnstile,
      { state: () => undefined, progress: () => undefined, notice: () => undefined },
    );
    const failure = { reason: "run", message: "no such file" };
    expect(await run.run()).toEqual({ ok: false, failure });
    expect(turnstile.ahead).toBeUndefined();
  });

  test("waits for the run ahead, says so, and starts when it has ended", async () => {
    const turnstile = new Turnstile();
    const first = runWith(turnstile, "first");
    const second = runWith(turnstile, "second");
    const firstOutcome = first.run.run();
    const secondOutcome = second.run.run();
    await settled();
    expect(second.engine.calls).toEqual([]);
    expect(second.waits).toEqual(["first"]);
    expect(second.states.at(-1)?.notices).toEqual(["Waiting for the diagnosis of first to end."]);
    first.engine.end({ ok: true, report });
    await firstOutcome;
    await settled();
    expect(second.engine.calls).toEqual(["start"]);
    expect(second.states.at(-1)?.notices).toEqual([]);
    second.engine.end({ ok: true, report });
    expect(await secondOutcome).toEqual({ ok: true, report });
  });

  test("cancelled while it waits, it never starts", async () => {
    const turnstile = new Turnstile();
    const leave = await turnstile.enter("other", new AbortController().signal);
    const { engine, run } = runWith(turnstile);
    const outcome = run.run();
    run.cancel();
    expect(await outcome).toMatchObject({ ok: false, failure: { reason: "interrupted" } });
    leave();
    await settled();
    expect(engine.calls).toEqual([]);
  });

  test("cancelled while it runs, the engine is killed", async () => {
    const { engine, run } = runWith(new Turnstile());
    const outcome = run.run();
    await settled();
    run.cancel();
    expect(await outcome).toMatchObject({ ok: false, failure: { reason: "interrupted" } });
    expect(engine.calls).toEqual(["start", "cancel"]);
  });

  test("an early end that was asked for while waiting is passed on at the start", async () => {
    const { engine, run } = runWith(new Turnstile());
    run.finish();
    const outcome = run.run();
    await settled();
    expect(engine.calls).toEqual(["start", "finish"]);
    engine.end({ ok: true, report });
    await outcome;
  });
});

describe("DiagnosisRun with a memory", () => {
  const key = "a".repeat(64);

  test("shows the stored report and starts nothing", async () => {
    const stored = { key, savedAt: "2026-11-22T08:57:00.000Z", report };
    const { engine, run, states, keys, waits } = runWith(new Turnstile(), "a", () =>
      Promise.resolve({ stored }),
    );
    expect(await run.run()).toEqual({ ok: true, report });
    const origin = { kind: "stored", savedAt: stored.savedAt, isUnchanged: true };
    expect(states).toEqual([{ phase: "done", name: "a", report, notices: [], origin }]);
    expect([keys, waits, engine.calls]).toEqual([[key], [], []]);
  });

  test("keeps a whole report, and tells the engine what is known", async () => {
    const kept: Report[] = [];
    const keep = (_: string, one: Report) => {
      kept.push(one);
      return Promise.resolve({ key });
    };
    const recall = () => Promise.resolve({ fingerprint: () => Promise.resolve("f"), keep });
    const { engine, run, states, keys } = runWith(new Turnstile(), "a", recall);
    const outcome = run.run();
    await settled();
    expect(engine.request).toEqual({ ...request, fingerprint: "f" });
    engine.end({ ok: true, report });
    await outcome;
    expect(kept).toEqual([report]);
    expect(keys.at(-1)).toBe(key);
    expect(states.at(-1)).toEqual({ phase: "done", name: "a", report, notices: [] });
  });

  const partial = { evaluation: { documents: 3, plannedDocuments: 8 } } as Report;
  test.each<[string, Outcome, boolean]>([
    ["was stopped", { ok: true, report }, true],
    ["ended early", { ok: true, report: partial }, false],
    ["failed", { ok: false, failure: { reason: "killed", message: "It died." } }, false],
  ])("keeps nothing of a run that %s", async (_, end, isStopped) => {
    const keep = () => Promise.reject(new Error("must not be kept"));
    const { engine, run, keys, notices } = runWith(new Turnstile(), "a", () =>
      Promise.resolve({ keep }),
    );
    const outcome = run.run();
    await settled();
    if (isStopped) run.finish();
    engine.end(end);
    expect(await outcome).toEqual(end);
    expect(keys.at(-1)).toBeUndefined();
    expect(notices).toEqual([]);
  });

  test.each([
    [() => Promise.resolve({ notice: "It changed." }), "It changed."],
    [() => Promise.reject(new Error("full disk.")), "The report was not stored: full disk."],
  ])("a report that cannot be kept is shown all the same", async (keep, notice) => {
    const { engine, run, states, notices } = runWith(new Turnstile(), "a", () =>
      Promise.resolve({ keep }),
    );
    const outcome = run.run();
    await settled();
    engine.end({ ok: true, report });
    expect(await outcome).toEqual({ ok: true, report });
    expect(states.at(-1)?.phase).toBe("done");
    expect(notices).toEqual([notice]);
  });

  test("cancelled while it looks, it never starts", async () => {
    const { engine, run, states } = runWith(
      new Turnstile(),
      "a",
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            reject(new Error("aborted"));
          });
        }),
    );
    const outcome = run.run();
    await settled();
    run.cancel();
    expect(await outcome).toMatchObject({ ok: false, failure: { reason: "interrupted" } });
    expect(states.at(-1)?.phase).toBe("failed");
    expect(engine.calls).toEqual([]);
  });
});

describe("withEarlier", () => {
  const of = (documents: number): Report =>
    ({ evaluation: { documents, plannedDocuments: 8 } }) as Report;
  const failure = { reason: "interrupted", message: "" } as const;
  const empty: PanelState = { phase: "failed", name: "a", failure, notices: [] };
  const failed: PanelState = { ...empty, report: of(2) };

  test("a whole report outlives a later run that fails", () => {
    expect(withEarlier(failed, of(8))).toEqual({ ...failed, report: of(8), isEarlier: true });
  });

  test("what was stopped early gives way to what was measured since, not to nothing", () => {
    expect(withEarlier(failed, of(4))).toBe(failed);
    expect(withEarlier(empty, of(4))).toMatchObject({ report: of(4), isEarlier: true });
  });

  test("a run that ends well replaces everything", () => {
    const done: PanelState = { phase: "done", name: "a", report: of(2), notices: [] };
    expect(withEarlier(done, of(8))).toBe(done);
  });
});
