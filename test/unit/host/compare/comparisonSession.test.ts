import { describe, expect, it } from "vitest";
import type { Report } from "../../../../src/diagnosis/report";
import {
  ComparisonSession,
  type ComparisonMember,
} from "../../../../src/host/compare/comparisonSession";
import { ReportFailure } from "../../../../src/host/reportSource";
import { sampleReport } from "../../report/sampleReport";

const report = sampleReport({ layers: 4 });
const other = sampleReport({ layers: 6 });

function stored(name: string, found: Report | undefined): ComparisonMember {
  return { name, stored: () => Promise.resolve(found) };
}

function measured(name: string, measure: ComparisonMember["measured"]): ComparisonMember {
  return { name, stored: () => Promise.resolve(undefined), measured: measure! };
}

/** Measures until it is cancelled. */
const endless: ComparisonMember["measured"] = (signal, observer) => {
  observer.progress?.({ stage: "layer", layer: 1, layers: 4, fraction: 0.25 });
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(new ReportFailure({ reason: "interrupted", message: "cancelled" }));
    });
  });
};

describe("a comparison's session", () => {
  it("shows what is at hand before it measures the rest, one after another", async () => {
    const told: string[] = [];
    const session = new ComparisonSession([
      measured("a", (_, observer) => {
        observer.progress?.({ stage: "layer", layer: 1, layers: 4, fraction: 0.5 });
        told.push(session.ready.map(({ name }) => name).join());
        return Promise.resolve(report);
      }),
      stored("b", other),
    ]);
    const arrived: number[] = [];
    const kinds = new Set<string>();
    const fractions: number[] = [];
    session.observe({
      report: (place) => arrived.push(place),
      status: ({ standings, fraction }) => {
        kinds.add(standings.map(({ kind }) => kind).join());
        fractions.push(fraction);
      },
    });
    await session.gather(true);
    expect(told).toEqual(["b"]);
    expect(arrived).toEqual([1, 0]);
    expect([...kinds]).toEqual(["waiting,waiting", "measuring,ready", "ready,ready"]);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions).toContain(0.75);
    // The order is that of what was asked for.
    expect(session.ready.map(({ name, place }) => [name, place])).toEqual([
      ["a", 0],
      ["b", 1],
    ]);
    expect(session.status).toMatchObject({ phase: "done", fraction: 1 });
  });

  it("measures although it was only looking for reports when it was asked to", async () => {
    const session = new ComparisonSession([
      stored("a", other),
      measured("b", () => Promise.resolve(report)),
    ]);
    const looking = session.gather(false);
    const measuring = session.gather(true);
    await looking;
    await measuring;
    expect(session.ready.map(({ name }) => name)).toEqual(["a", "b"]);

    const closed = new ComparisonSession([stored("a", other), measured("b", endless)]);
    void closed.gather(false);
    const asked = closed.gather(true);
    closed.cancel();
    await asked;
    expect(closed.status.phase).toBe("cancelled");
  });

  it("a cancel keeps what is there, and what is missing can be measured after it", async () => {
    let isEndless = true;
    const session = new ComparisonSession([
      measured("a", () => Promise.resolve(report)),
      measured("b", (signal, observer) =>
        isEndless ? endless(signal, observer) : Promise.resolve(other),
      ),
      measured("c", () => Promise.resolve(other)),
    ]);
    session.observe({
      report: () => undefined,
      status: ({ standings }) => {
        if (isEndless && standings[1]?.kind === "measuring") {
          setImmediate(() => {
            session.cancel();
          });
        }
      },
    });
    await session.gather(true);
    expect(session.status).toMatchObject({
      phase: "cancelled",
      standings: [{ kind: "ready" }, { kind: "missing" }, { kind: "missing" }],
    });
    isEndless = false;
    await session.gather(true);
    expect(session.ready).toHaveLength(3);
    expect(session.status.phase).toBe("done");
  });

  it("one that fails costs none of the others, and says why", async () => {
    const session = new ComparisonSession([
      measured("a", () =>
        Promise.reject(new ReportFailure({ reason: "killed", message: "out of memory" })),
      ),
      { name: "b", stored: () => Promise.reject(new Error("/b does not exist.")) },
      stored("c", report),
    ]);
    await session.gather(true);
    expect(session.status.standings).toEqual([
      { kind: "failed", reason: "out of memory" },
      { kind: "failed", reason: "/b does not exist." },
      { kind: "ready" },
    ]);
  });

  it("measures nothing unless it is asked to", async () => {
    const session = new ComparisonSession([
      measured("a", () => Promise.reject(new Error("measured"))),
      stored("b", report),
    ]);
    await session.gather(false);
    expect(session.status).toMatchObject({
      phase: "done",
      standings: [{ kind: "missing" }, { kind: "ready" }],
    });
  });

  it("gathered again, takes the reports of checkpoints that changed, and drops those that went", async () => {
    let found: Report | undefined = report;
    const session = new ComparisonSession([
      {
        name: "a",
        stored: () => (found ? Promise.resolve(found) : Promise.reject(new Error("gone"))),
      },
      stored("b", other),
    ]);
    await session.gather(true);
    found = other;
    await session.gather(true);
    expect(session.compared[0]?.report).toBe(other);
    found = undefined;
    const arrived: (Report | undefined)[] = [];
    session.observe({ report: (_, came) => arrived.push(came), status: () => undefined });
    await session.gather(true);
    expect(arrived[0]).toBeUndefined();
    expect(session.compared[0]).toEqual({ name: "a" });
  });
});
