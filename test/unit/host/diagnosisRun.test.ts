import { describe, expect, test } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import type { EngineRun, Outcome } from "../../../src/engineClient";
import { DiagnosisRun, withEarlier } from "../../../src/host/diagnosisRun";
import { Turnstile } from "../../../src/host/turnstile";
import type { DiagnosisRequest, EngineEvent, PanelState } from "../../../src/protocol/messages";

const request = { checkpoint: "/c" } as DiagnosisRequest;
const report = { schemaVersion: 1, layers: [] as Report["layers"] } as Report;

/** An engine that does what the test says, when it says so. */
class EngineByHand {
  emit: (event: EngineEvent) => void = () => undefined;
  end: (outcome: Outcome) => void = () => undefined;
  readonly calls: string[] = [];

  readonly start = (_: DiagnosisRequest, onEvent: (event: EngineEvent) => void): EngineRun => {
    this.calls.push("start");
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
): {
  engine: EngineByHand;
  run: DiagnosisRun;
  states: PanelState[];
  waits: (string | undefined)[];
} {
  const engine = new EngineByHand();
  const states: PanelState[] = [];
  const waits: (string | undefined)[] = [];
  const run = new DiagnosisRun(name, request, engine.start, turnstile, {
    state: (state) => states.push(state),
    progress: (_, waitingFor) => waits.push(waitingFor),
    notice: () => undefined,
  });
  return { engine, run, states, waits };
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
