import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { checkpointAt, type Checkpoint } from "../../../../src/host/checkpoint";
import type { KnownReport } from "../../../../src/host/side/checkpointTree";
import { Selection } from "../../../../src/host/side/selection";
import { headlineOf } from "../../../../src/report/headline";
import { sampleReport } from "../../report/sampleReport";

const workspace = path.resolve("/w");
const inside = (...names: string[]): string => path.join(workspace, ...names);
const checkpoint = (name: string): Checkpoint => checkpointAt(inside(name), workspace);
const whole = sampleReport({ layers: 12 });

let checkpoints: Checkpoint[];
let hidesCheckpoints: boolean;
let reports: KnownReport[];
let reportOfCode: Map<string, string>;
let pins: (string | undefined)[];
let selection: Selection;

function addReport(key: string, name: string, day: number): void {
  const savedAt = `2026-03-0${day}T10:00:00.000Z`;
  reports.push({ ...headlineOf(whole), key, name, savedAt, checkpoint: checkpoint(name).key });
}

beforeEach(() => {
  checkpoints = ["a/step-1", "a/step-2", "b/step-1"].map(checkpoint);
  hidesCheckpoints = false;
  reports = [];
  reportOfCode = new Map();
  pins = [];
  selection = new Selection(
    {
      checkpoints: () => checkpoints,
      hidesCheckpoints: () => hidesCheckpoints,
      reports: () => Promise.resolve(reports),
      read: () => Promise.resolve(whole),
      reportOfCode: (file) => Promise.resolve(reportOfCode.get(file)),
    },
    undefined,
    (key) => pins.push(key),
  );
});

const panel = { id: {}, name: "elsewhere", isRunning: false };
const shown = (): string => {
  const { state, reportKey } = selection.selected;
  return state.kind === "report" ? (reportKey ?? `live ${state.shown.name}`) : state.kind;
};

describe("the report that the side panel shows", () => {
  test("is none where there is none", async () => {
    await selection.update();
    expect(selection.selected.state).toEqual({ kind: "nothing", checkpoints: "listed" });
    checkpoints = [];
    await selection.update();
    expect(selection.selected.state).toEqual({ kind: "nothing", checkpoints: "none" });
    hidesCheckpoints = true;
    await selection.update();
    expect(selection.selected.state).toEqual({ kind: "nothing", checkpoints: "hidden" });
  });

  test("is the newest until a file is opened", async () => {
    addReport("old", "a/step-1", 1);
    addReport("new", "b/step-1", 2);
    await selection.update();
    expect(shown()).toBe("new");
  });

  test("follows the file, and never shows another model's for one that is not measured", async () => {
    addReport("ra", "a/step-1", 1);
    await selection.followFile(inside("a", "model.py"), workspace);
    expect(shown()).toBe("ra");
    await selection.followFile(inside("b", "model.py"), workspace);
    expect(selection.selected.state).toEqual({ kind: "unmeasured", name: "b/step-1" });
    expect(selection.selected.checkpoint?.name).toBe("b/step-1");
    addReport("rb", "b/step-1", 2);
    await selection.update();
    expect(shown()).toBe("rb");
  });

  test("is the one that the file's code makes, before any that is nearer", async () => {
    addReport("ra", "a/step-1", 1);
    addReport("rb", "b/step-1", 2);
    const file = inside("b", "model.py");
    reportOfCode.set(file, "ra");
    await selection.followFile(file, workspace);
    expect(shown()).toBe("ra");
    // Another checkpoint is chosen for the file.
    reportOfCode.set(file, "rb");
    await selection.update();
    expect(shown()).toBe("rb");
    await selection.choose("ra");
    expect(shown()).toBe("ra");
    reportOfCode.set(file, "gone");
    await selection.followFile(file, workspace);
    expect(shown()).toBe("rb");
  });

  test("stays while it is as near as a newer one", async () => {
    addReport("ra", "a/step-1", 1);
    addReport("rb", "b/step-1", 2);
    await selection.choose("ra");
    await selection.followFile(inside("model.py"), workspace);
    expect(shown()).toBe("ra");
    await selection.followFile(inside("b", "model.py"), workspace);
    expect(shown()).toBe("rb");
    await selection.followFile(inside("model.py"), workspace);
    expect(shown()).toBe("rb");
  });

  test("stays whatever is opened once it is pinned", async () => {
    addReport("ra", "a/step-1", 1);
    addReport("rb", "b/step-1", 2);
    await selection.choose("ra");
    await selection.pin(true);
    await selection.followFile(inside("b", "model.py"), workspace);
    await selection.followPanel({ ...panel, name: "b/step-1", report: whole });
    expect(shown()).toBe("ra");
    const { state } = selection.selected;
    expect(state.kind === "report" && state.shown.isPinned).toBe(true);
    await selection.choose("rb");
    expect(selection.pinned).toBe("rb");
    reports = reports.filter(({ key }) => key !== "rb");
    await selection.update();
    expect(selection.pinned).toBeUndefined();
    expect(pins).toEqual(["ra", "rb", undefined]);
  });

  test("is the panel's while one is looked at, stored or not", async () => {
    await selection.followPanel({ ...panel, isRunning: true });
    expect(selection.selected.state).toEqual({ kind: "running", name: "elsewhere" });
    await selection.followPanel({ ...panel, isRunning: true, report: whole });
    expect(shown()).toBe("live elsewhere");
    await selection.followPanel({ ...panel, report: whole, key: "stored" });
    expect(shown()).toBe("stored");
  });

  test("is not taken away by figures that come to a panel nobody looks at", async () => {
    addReport("ra", "a/step-1", 1);
    await selection.followPanel({ ...panel, isRunning: true });
    await selection.choose("ra");
    await selection.followPanel({ ...panel, isRunning: true, report: whole });
    expect(shown()).toBe("ra");
  });

  test("is what is near where a panel failed without figures", async () => {
    addReport("ra", "a/step-1", 1);
    await selection.followPanel(panel);
    expect(shown()).toBe("ra");
  });

  test("goes back to what is near when the chosen one is deleted", async () => {
    addReport("ra", "a/step-1", 1);
    addReport("rb", "b/step-1", 2);
    await selection.choose("ra");
    reports = reports.filter(({ key }) => key !== "ra");
    await selection.update();
    expect(shown()).toBe("rb");
  });

  test("is the last that was asked for, however long the others take to read", async () => {
    addReport("ra", "a/step-1", 1);
    addReport("rb", "b/step-1", 2);
    const slow = selection.choose("ra");
    await selection.choose("rb");
    await slow;
    expect(shown()).toBe("rb");
  });
});
