import { describe, expect, it } from "vitest";
import {
  candidateReports,
  codeFolders,
  type KnownReport,
} from "../../../src/host/python/candidateReports";

const rootOf = (file: string) => /^\/(?:work|other)(?=\/|$)/.exec(file)?.[0];
const file = "/work/src/model.py";
const savedAt = "2026-01-01T00:00:00.000Z";
const near = { key: "a", name: "near", savedAt, checkpoint: "/work/runs/step_1" };
const outside = { key: "b", name: "outside", savedAt, checkpoint: "/models/llama" };
const other = { key: "c", name: "other", savedAt, checkpoint: "/other/llama" };

const keys = (all: readonly KnownReport[], chosen?: string) =>
  candidateReports(file, all, chosen, rootOf).map(({ known, isChosen }) => [known.key, isChosen]);

describe("candidateReports", () => {
  it("are those of the file's own workspace folder by themselves", () => {
    expect(keys([near, outside, other])).toEqual([["a", false]]);
  });

  it("begin with the pinned one, wherever its checkpoint lies, and keep the others", () => {
    expect(keys([near, { ...outside, isPinned: true }])).toEqual([
      ["b", false],
      ["a", false],
    ]);
    expect(keys([near, outside, { ...other, isPinned: true }])).toEqual([
      ["c", false],
      ["a", false],
    ]);
  });

  it("have the nearest before the newest", () => {
    const beside = { ...near, key: "e", checkpoint: "/work/src/runs/step_1" };
    const older = { ...near, key: "f", checkpoint: "/work/runs/step_0" };
    expect(keys([near, older, beside])).toEqual([
      ["e", false],
      ["a", false],
      ["f", false],
    ]);
  });

  it("are those of the checkpoint that was chosen for the file, whatever is pinned", () => {
    const newer = { ...outside, key: "d" };
    const all = [newer, { ...near, isPinned: true }, outside];
    expect(keys(all, outside.checkpoint)).toEqual([
      ["d", true],
      ["b", true],
    ]);
  });
});

it("the code is looked for above the checkpoint, or above the file where that lies elsewhere", () => {
  expect(codeFolders(file, near.checkpoint, rootOf)).toEqual([
    "/work/runs/step_1",
    "/work/runs",
    "/work",
  ]);
  expect(codeFolders(file, outside.checkpoint, rootOf)).toEqual(["/work/src", "/work"]);
  expect(codeFolders("/home/me/model.py", outside.checkpoint, rootOf)).toEqual(["/home/me"]);
});
