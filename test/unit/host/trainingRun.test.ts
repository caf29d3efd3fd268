import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import type { Outcome } from "../../../src/engineClient";
import { checkpointAt } from "../../../src/host/checkpoint";
import { directReader } from "../../../src/host/reading/directReader";
import { DiagnosedReports, ReportFailure, type ReportSource } from "../../../src/host/reportSource";
import { Turnstile } from "../../../src/host/turnstile";
import { RunSession } from "../../../src/host/trainingRun/runSession";
import { RunWatch, type RunWatchOptions } from "../../../src/host/trainingRun/runWatch";
import { WatchedRuns } from "../../../src/host/trainingRun/watchedRuns";
import { readWatchSettings } from "../../../src/host/trainingRun/watchSettings";
import type { DiagnosisRequest } from "../../../src/protocol/messages";
import { discoverRun } from "../../../src/trainingRun/discover";
import { sampleReport } from "../report/sampleReport";
import { fixture } from "../support/checkpoints";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const report = sampleReport({ layers: 4 });

function runFolder(steps: number[]): string {
  const folder = scratch();
  for (const step of steps) {
    cpSync(fixture("llama"), join(folder, `step-${step}`), { recursive: true });
  }
  return folder;
}

/** Nothing is at hand unless the test says so. */
async function sessionOf(folder: string, source: Partial<ReportSource>): Promise<RunSession> {
  const whole = {
    stored: () => Promise.resolve(undefined),
    reportOf: () => Promise.reject(new Error("nothing may be measured")),
    ...source,
  };
  return new RunSession(
    await discoverRun(folder, 0),
    whole,
    (file) => checkpointAt(file),
    directReader,
  );
}

describe("a run's session", () => {
  it("measures the steps in order and tells what came of each", async () => {
    const asked: string[] = [];
    const session = await sessionOf(runFolder([20, 3, 100]), {
      reportOf: (checkpoint, _, observer) => {
        asked.push(checkpoint.name);
        observer?.progress?.({ stage: "layer", fraction: 0.5 });
        observer?.partial?.(report);
        return Promise.resolve(report);
      },
    });
    const told: [number, boolean][] = [];
    const phases = new Set<string>();
    const measured: Report[] = [];
    session.observe({
      run: () => undefined,
      step: ({ step, isPartial }) => told.push([step, isPartial === true]),
      status: ({ phase }) => phases.add(phase),
      measured: (step) => measured.push(step.report!),
    });
    await session.measure();
    expect(asked).toEqual(["step-3", "step-20", "step-100"]);
    expect(told.filter(([, isPartial]) => !isPartial).map(([step]) => step)).toEqual([3, 20, 100]);
    expect(told.some(([, isPartial]) => isPartial)).toBe(true);
    expect([...phases].sort()).toEqual(["done", "running"]);
    expect(session.status).toMatchObject({ phase: "done", finished: 3, planned: 3 });
    // The view does without the figures of single documents; whoever stores reports gets them.
    expect(session.run.steps.every((step) => step.report && !step.report.documents)).toBe(true);
    expect(measured.every((one) => one.documents)).toBe(true);
  });

  it("a step that fails costs none of the others, and is tried again when asked", async () => {
    let isBroken = true;
    const session = await sessionOf(runFolder([1, 2]), {
      reportOf: ({ name }) =>
        isBroken && name === "step-1"
          ? Promise.reject(new ReportFailure({ reason: "killed", message: "out of memory" }))
          : Promise.resolve(report),
    });
    await session.measure();
    expect(session.run.steps.map(({ failure }) => failure)).toEqual(["out of memory", undefined]);
    isBroken = false;
    await session.refresh();
    await session.measure();
    expect(session.run.steps.every((step) => step.report)).toBe(true);
  });

  it("a cancel keeps what is done, and nothing half done", async () => {
    const session = await sessionOf(runFolder([1, 2, 3]), {
      reportOf: ({ name }, signal, observer) => {
        if (name === "step-1") return Promise.resolve(report);
        observer?.partial?.(report);
        return new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            reject(new ReportFailure({ reason: "interrupted", message: "cancelled" }));
          });
          setImmediate(() => {
            session.cancel();
          });
        });
      },
    });
    await session.measure();
    expect(session.status).toMatchObject({ phase: "cancelled", finished: 1, planned: 3 });
    expect(session.run.steps.map((step) => step.report !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
    expect(session.run.steps[1]!.failure).toBeUndefined();
  });

  it("a step stays measured whatever whoever hears of it throws", async () => {
    const session = await sessionOf(runFolder([1]), { reportOf: () => Promise.resolve(report) });
    session.observe({
      run: () => undefined,
      step: () => undefined,
      status: () => undefined,
      measured: () => {
        throw new Error("a wrong setting");
      },
    });
    await expect(session.measure()).rejects.toThrow("a wrong setting");
    expect(session.hasReport(1)).toBe(true);
    expect(session.hasFailed(1)).toBe(false);
  });

  it("measures what is wanted while a cancel settles, and nothing of what was cancelled", async () => {
    const asked: string[] = [];
    let settle = (): void => undefined;
    const session = await sessionOf(runFolder([1, 2, 3]), {
      reportOf: ({ name }) => {
        asked.push(name);
        if (name !== "step-1") return Promise.resolve(report);
        return new Promise((_, reject) => {
          settle = () => {
            reject(new ReportFailure({ reason: "interrupted", message: "cancelled" }));
          };
        });
      },
    });
    const cancelled = session.measure();
    await new Promise(setImmediate);
    session.cancel();
    const wanted = session.measureFirst(3);
    settle();
    await Promise.all([cancelled, wanted]);
    expect(asked).toEqual(["step-1", "step-3"]);
    expect(session.hasReport(3)).toBe(true);
    expect(session.hasFailed(1)).toBe(false);

    // A second cancel is for that too.
    const again = session.measure();
    await new Promise(setImmediate);
    session.cancel();
    const late = session.measureFirst(2);
    session.cancel();
    settle();
    await Promise.all([again, late]);
    expect(asked).toEqual(["step-1", "step-3", "step-1"]);
    expect(session.status.phase).toBe("cancelled");
  });

  it("measures a new step alone, before those that wait", async () => {
    const asked: string[] = [];
    const session = await sessionOf(runFolder([1, 2, 3]), {
      reportOf: async ({ name }) => {
        asked.push(name);
        await new Promise(setImmediate);
        return report;
      },
    });
    await session.measureFirst(3);
    expect(asked).toEqual(["step-3"]);
    expect(session.status).toMatchObject({ finished: 1, planned: 1, missing: 2 });
    await session.measure();
    expect(asked).toEqual(["step-3", "step-1", "step-2"]);
    expect([...(await session.completeSteps())]).toEqual([1, 2, 3]);
  });

  it("shows what is at hand, and measures nothing for it", async () => {
    const session = await sessionOf(runFolder([1, 2, 3]), {
      stored: ({ name }) =>
        name === "step-1"
          ? Promise.reject(new Error("cannot be read"))
          : Promise.resolve(name === "step-2" ? report : undefined),
    });
    const told: number[] = [];
    session.observe({
      run: () => undefined,
      step: ({ step }) => told.push(step),
      status: () => undefined,
    });
    await session.recall();
    expect(told).toEqual([2]);
    expect(session.run.steps.map((step) => step.report !== undefined)).toEqual([
      false,
      true,
      false,
    ]);
    expect(session.run.steps[1]!.report!.documents).toBeUndefined();
    expect(session.status).toMatchObject({ phase: "done", finished: 1, missing: 2 });
  });

  it("finds steps that came since, and keeps the reports it has", async () => {
    const folder = runFolder([1, 2]);
    let count = 0;
    const session = await sessionOf(folder, {
      reportOf: () => {
        count++;
        return Promise.resolve(report);
      },
    });
    await session.measure();
    cpSync(fixture("llama"), join(folder, "step-3"), { recursive: true });
    writeFileSync(join(folder, "log.csv"), "step,loss\n1,2\n2,1\n");
    await session.refresh();
    await session.measure();
    expect(count).toBe(3);
    expect(session.run.losses[0]?.points).toHaveLength(2);
  });
});

describe("watching a run", () => {
  it("begins in an empty folder: the first step is handed on, measured and shown", async () => {
    const folder = scratch();
    const session = await sessionOf(folder, { reportOf: () => Promise.resolve(report) });
    const taken = new Set<number>();
    const watch = new RunWatch({
      folder,
      settleMs: 10,
      reader: directReader,
      isKnown: (step) => taken.has(step),
      isWorthAnother: () => false,
      onComplete: async (step) => {
        taken.add(step.step);
        await session.add(step);
        await session.measureFirst(step.step);
      },
      onIncomplete: () => undefined,
      onProblem: (error) => {
        throw error;
      },
    });
    await session.readLosses();
    expect(session.status).toMatchObject({ phase: "done", finished: 0, missing: 0 });
    await watch.look(0);
    cpSync(fixture("llama"), join(folder, "checkpoint-500"), { recursive: true });
    for (const now of [10, 30]) await watch.look(now);
    expect(session.run.steps).toMatchObject([{ step: 500, name: "checkpoint-500" }]);
    expect(session.hasReport(500)).toBe(true);
  });

  it("hands on a checkpoint once it is whole and has settled, and only then", async () => {
    const folder = runFolder([1]);
    const complete: number[] = [];
    const watch = new RunWatch({
      folder,
      settleMs: 10,
      reader: directReader,
      isKnown: (step) => step === 1 || complete.includes(step),
      isWorthAnother: () => false,
      onComplete: ({ step }) => complete.push(step),
      onIncomplete: () => undefined,
      onProblem: (error) => {
        throw error;
      },
    });
    const to = join(folder, "step-2");
    const weights = readFileSync(join(fixture("llama"), "model.safetensors"));
    mkdirSync(to);
    await watch.look(0);
    cpSync(join(fixture("llama"), "config.json"), join(to, "config.json"));
    writeFileSync(join(to, "model.safetensors"), weights.subarray(0, 1000));
    await watch.look(0);
    // Half-written for longer than it takes to settle: it still waits.
    await watch.look(100);
    expect(complete).toEqual([]);
    writeFileSync(join(to, "model.safetensors"), weights);
    await watch.look(101);
    await watch.look(105);
    expect(complete).toEqual([]);
    await watch.look(111);
    await watch.look(200);
    expect(complete).toEqual([2]);
  });
});

describe("watching a run whose checkpoints come in shards, or fail", () => {
  const watched = (folder: string, options: Partial<RunWatchOptions>): RunWatch =>
    new RunWatch({
      folder,
      settleMs: 10,
      reader: directReader,
      isKnown: () => false,
      isWorthAnother: () => false,
      onComplete: () => undefined,
      onIncomplete: () => undefined,
      onProblem: (error) => {
        throw error;
      },
      ...options,
    });

  it("waits for the shards and their index, and says once what it waits for", async () => {
    const folder = scratch();
    const to = join(folder, "step-2");
    const from = fixture("llama3-sharded");
    mkdirSync(to);
    for (const name of ["config.json", "model-00001-of-00003.safetensors"]) {
      cpSync(join(from, name), join(to, name));
    }
    const [complete, reasons]: [number[], string[]] = [[], []];
    const watch = watched(folder, {
      isKnown: (step) => complete.includes(step),
      onComplete: ({ step }) => complete.push(step),
      onIncomplete: (_, reason) => reasons.push(reason),
    });
    for (const now of [0, 20, 40]) await watch.look(now);
    expect(complete).toEqual([]);
    expect(reasons).toEqual([expect.stringContaining("one of 3 shards")]);
    cpSync(from, to, { recursive: true });
    for (const now of [50, 70, 90]) await watch.look(now);
    expect(complete).toEqual([2]);
  });

  it("hands nothing on once it is stopped, whatever it was waiting for", async () => {
    const handedOn: number[] = [];
    const problems: string[] = [];
    const watch = watched(runFolder([1, 2]), {
      settleMs: 0,
      reader: {
        incompleteness: (file) => {
          watch.stop();
          return Promise.resolve(file.endsWith("1") ? undefined : "lacks a shard");
        },
      },
      onComplete: ({ step }) => handedOn.push(step),
      onIncomplete: (_, reason) => problems.push(reason),
    });
    for (const now of [0, 20, 40]) await watch.look(now);
    expect([handedOn, problems]).toEqual([[], []]);
  });

  it("hands on a step that failed again, once its files have changed and settled", async () => {
    const folder = runFolder([1, 2]);
    const handedOn: number[] = [];
    const watch = watched(folder, {
      isKnown: (step) => handedOn.includes(step),
      isWorthAnother: (step) => step === 2,
      onComplete: ({ step }) => handedOn.push(step),
    });
    for (const now of [0, 20, 40]) await watch.look(now);
    expect(handedOn).toEqual([1, 2]);
    for (const step of [1, 2]) writeFileSync(join(folder, `step-${step}`, "done"), "");
    await watch.look(50);
    expect(handedOn).toEqual([1, 2]);
    for (const now of [60, 80]) await watch.look(now);
    expect(handedOn).toEqual([1, 2, 2]);
  });
});

describe("reports of several checkpoints", () => {
  const turnstile = new Turnstile();
  const requestFor = (path: string) => ({ checkpoint: path }) as DiagnosisRequest;
  const engine = (outcome: Outcome) => () => ({
    outcome: Promise.resolve(outcome),
    finish: () => undefined,
    cancel: () => undefined,
  });

  it("are what is stored, where it is", async () => {
    const stored = { key: "k", savedAt: "2026-11-22T08:57:00.000Z", report };
    const source = new DiagnosedReports({
      requestFor,
      turnstile,
      startEngine: () => {
        throw new Error("nothing may be measured");
      },
      memory: { recall: () => Promise.resolve({ stored }) },
    });
    const { signal } = new AbortController();
    expect(await source.stored(checkpointAt("/a"), signal)).toBe(report);
    expect(await source.reportOf(checkpointAt("/a"), signal)).toBe(report);
  });

  it("are stored once they have been measured", async () => {
    const kept: string[] = [];
    const keep = (name: string) => {
      kept.push(name);
      return Promise.resolve({ key: "k" });
    };
    const source = new DiagnosedReports({
      requestFor,
      turnstile,
      startEngine: engine({ ok: true, report }),
      memory: { recall: () => Promise.resolve({ keep }) },
    });
    await source.reportOf(checkpointAt("/a"), new AbortController().signal);
    expect(kept).toEqual(["a"]);
  });

  it("that fail are thrown with their reason", async () => {
    const failure = { reason: "checkpoint", message: "bad" } as const;
    const source = new DiagnosedReports({
      requestFor,
      turnstile,
      startEngine: engine({ ok: false, failure }),
      memory: { recall: () => Promise.resolve({}) },
    });
    const attempt = source.reportOf(checkpointAt("/none"), new AbortController().signal);
    await expect(attempt).rejects.toMatchObject({ failure: { reason: "checkpoint" } });
  });
});

describe("the runs that are watched", () => {
  const memoryOf = (kept: Map<string, unknown>) =>
    new WatchedRuns({
      get: (key) => kept.get(key),
      update: (key, value) => {
        kept.set(key, JSON.parse(JSON.stringify(value)));
        return Promise.resolve();
      },
    });

  it("are remembered with what to warn of, until they are watched no more", async () => {
    const kept = new Map<string, unknown>();
    const watched = memoryOf(kept);
    expect(watched.all).toEqual({});
    const a = { rules: { neededShare: 0.5 }, earlier: [1, 2] };
    const b = { rules: {}, earlier: [] };
    await Promise.all([watched.add("/a", a), watched.add("/b", b)]);
    // Another window of the same workspace.
    const again = memoryOf(kept);
    expect(again.all).toEqual({ "/a": a, "/b": b });
    await again.remove("/a");
    expect(watched.all).toEqual({ "/b": b });
    // What another version kept is not taken for something else.
    kept.set("watchedRuns", { "/b": b, "/c": { neededShare: 0.5 }, "/d": null });
    expect(watched.all).toEqual({ "/b": b });
  });
});

describe("settings of watching", () => {
  const read = (values: Record<string, unknown>) => readWatchSettings((name) => values[name]);

  it("leave out what is empty", () => {
    expect(read({ "watch.minNeededShare": null })).toEqual({ settleMs: 10_000, rules: {} });
    expect(read({ "watch.settleSeconds": 0, "watch.minNeededShare": 0.5 })).toEqual({
      settleMs: 0,
      rules: { neededShare: 0.5 },
    });
  });

  it.each([
    ["watch.minNeededShare", 2],
    ["watch.maxLastLayerVariance", "many"],
    ["watch.settleSeconds", -1],
  ])("refuse %s: %j, and name it", (name, value) => {
    expect(() => read({ [name]: value })).toThrow(`fathom.${name} is ${JSON.stringify(value)}`);
  });
});
