import { copyFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { NormSummary, Report } from "../../../src/diagnosis/report";
import type { KnownReport } from "../../../src/host/python/candidateReports";
import { CodeFits, placeOf } from "../../../src/host/python/codeFits";
import { MeasuredNorms } from "../../../src/host/python/measuredNorms";
import { PythonReader } from "../../../src/python/reader";
import type { ModuleFile } from "../../../src/python/structure";
import { huggingFace, huggingFacePaths } from "../python/support/models";
import { wasmFiles } from "../python/support/parser";
import { sampleReport } from "../report/sampleReport";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const whole = sampleReport({ layers: 2 });

let reader: PythonReader;
let code: Map<string, ModuleFile>;
let reports: KnownReport[];
let read: Map<string, Report>;
let chosen: Map<string, string>;
let norms: MeasuredNorms;
let match: ReturnType<typeof vi.fn<PythonReader["match"]>>;
let readReport: ReturnType<typeof vi.fn<(key: string) => Promise<Report | undefined>>>;

beforeAll(async () => {
  const folder = scratch();
  for (const file of Object.values(wasmFiles)) {
    copyFileSync(file, path.join(folder, path.basename(file)));
  }
  reader = await PythonReader.load(folder);
});

beforeEach(() => {
  [code, read, chosen, reports] = [new Map(), new Map(), new Map(), []];
  match = vi.fn<PythonReader["match"]>((...given) => reader.match(...given));
  readReport = vi.fn((key: string) => Promise.resolve(read.get(key)));
  const fits = new CodeFits(
    {
      readDocument: ({ path: file }) => Promise.resolve(code.get(file)),
      readFolder: (folder) => {
        const all = [...code.values()];
        const files = all.filter((file) => file.path.startsWith(`${folder}/`));
        return Promise.resolve({ files, isCut: false });
      },
    },
    Promise.resolve({ match, matchWithin: (...given) => reader.matchWithin(...given) }),
  );
  norms = new MeasuredNorms(
    {
      sitesOf: ({ uri }) => Promise.resolve(code.get(uri.fsPath)?.sites.map(placeOf)),
      fitOf: ({ uri, version }, question) =>
        fits.of({ ...question, at: { path: uri.fsPath, version } }),
    },
    { list: () => Promise.resolve(reports), read: readReport },
    { of: (file) => chosen.get(file), all: chosen },
    (file) => (file.startsWith("/work") ? "/work" : undefined),
  );
});

/** @param prefix of the names of the classes: what tells the family */
async function write(file: string, prefix: string): Promise<void> {
  const text = huggingFace.replaceAll("Tiny", prefix);
  code.set(file, (await reader.read(file, text))!);
}

function report(checkpoint: string, family: string, isPinned = false): void {
  const savedAt = "2026-01-01T00:00:00.000Z";
  reports.push({ key: checkpoint, name: checkpoint, savedAt, checkpoint, isPinned });
  const made = huggingFacePaths.map((path) => ({ path, feeds: "attention" as const }));
  read.set(checkpoint, {
    ...whole,
    architecture: { ...whole.architecture, family, norms: made },
  });
}

describe("what was last found for a document", () => {
  it("counts until other code changes, though it be while it is looked for", async () => {
    await write("/work/a/model.py", "Llama");
    report("/work/a/step-1", "llama");
    const opened = { uri: { fsPath: "/work/a/model.py" }, version: 1 } as unknown;
    const document = opened as Parameters<MeasuredNorms["known"]>[0];
    const known = () => norms.known(document, new AbortController().signal);
    const found = await known();
    expect(await known()).toBe(found);
    norms.forgetFound();
    const meanwhile = known();
    norms.forgetFound();
    const before = await meanwhile;
    expect(await known()).not.toBe(before);
  });
});

async function shownAt(file: string): Promise<string> {
  const document: unknown = { uri: { fsPath: file }, version: 1 };
  const found = (await norms.of(
    document as Parameters<MeasuredNorms["of"]>[0],
    new AbortController().signal,
  ))!;
  if (found.undecided.length > 0) return "undecided";
  return found.isUnmeasured ? "unmeasured" : found.measured[0]!.key;
}

describe("the report of a file", () => {
  it("is the pinned one where it fits, else another that does", async () => {
    await write("/work/llama/model.py", "Llama");
    await write("/work/qwen/model.py", "Qwen2");
    report("/work/llama/step-1", "llama");
    report("/work/qwen/step-1", "qwen2");
    expect(await shownAt("/work/llama/model.py")).toBe("/work/llama/step-1");
    reports[1]!.isPinned = true;
    expect(await shownAt("/work/llama/model.py")).toBe("/work/llama/step-1");
    expect(await shownAt("/work/qwen/model.py")).toBe("/work/qwen/step-1");
    report("/models/llama", "llama", true);
    expect(await shownAt("/work/llama/model.py")).toBe("/models/llama");
    expect(await shownAt("/work/qwen/model.py")).toBe("/work/qwen/step-1");
  });

  it("is of a pinned checkpoint of another family only where a person chose it for the file", async () => {
    await write("/work/model.py", "Llama");
    report("/models/qwen", "qwen2", true);
    expect(await shownAt("/work/model.py")).toBe("unmeasured");
    chosen.set("/work/model.py", "/models/qwen");
    expect(await shownAt("/work/model.py")).toBe("/models/qwen");
  });

  it("is the nearest of those that fit, before the newest", async () => {
    await write("/work/a/model.py", "Llama");
    report("/work/runs/newer", "llama");
    report("/work/a/runs/older", "llama");
    expect(await shownAt("/work/a/model.py")).toBe("/work/a/runs/older");
  });
});

describe("the norms of a file", () => {
  it("have every role in which the report has them", async () => {
    await write("/work/model.py", "Llama");
    report("/work/step-1", "llama");
    const { architecture } = read.get("/work/step-1")!;
    const [path] = huggingFacePaths as [string];
    const roles: NormSummary[] = [
      { path, feeds: "attention", place: "sum", layers: [0] },
      { path, feeds: "feedForward", place: "before", layers: [1] },
    ];
    const others = architecture.norms!.filter((norm) => norm.path !== path);
    architecture.norms = [...roles, ...others];
    const document: unknown = { uri: { fsPath: "/work/model.py" }, version: 1 };
    const { measured } = (await norms.of(
      document as Parameters<MeasuredNorms["of"]>[0],
      new AbortController().signal,
    ))!;
    expect(measured.filter(({ norm }) => norm.path === path).map(({ norm }) => norm)).toEqual(
      roles,
    );
  });
});

describe("what is looked up again after an edit", () => {
  it("are the files in which it is, once for all reports of a model", async () => {
    await write("/work/a/model.py", "Llama");
    await write("/work/b/model.py", "Qwen2");
    for (const step of [3, 2, 1]) report(`/work/a/step-${step}`, "llama");
    expect(await shownAt("/work/b/model.py")).toBe("unmeasured");
    const first = match.mock.calls.length;
    // Above each checkpoint there is a folder without code of its own.
    expect(match.mock.calls.filter(([files]) => files.length > 0)).toHaveLength(1);
    await write("/work/b/model.py", "Qwen2");
    expect(await shownAt("/work/b/model.py")).toBe("unmeasured");
    expect(match.mock.calls).toHaveLength(first);
    await write("/work/a/model.py", "Llama");
    expect(await shownAt("/work/b/model.py")).toBe("unmeasured");
    expect(match.mock.calls).toHaveLength(first + 1);
    expect(readReport).toHaveBeenCalledTimes(3);
  });
});

describe("what is read again when other reports come", () => {
  it("are those that were stored anew or could not be read", async () => {
    await write("/work/a/model.py", "Llama");
    await write("/work/b/model.py", "Qwen2");
    for (const step of [3, 2, 1]) report(`/work/a/step-${step}`, "llama");
    const readAfter = async (change: () => void): Promise<string[]> => {
      readReport.mockClear();
      change();
      norms.forget();
      expect(await shownAt("/work/b/model.py")).toBe("unmeasured");
      return readReport.mock.calls.map(([key]) => key);
    };
    expect(await readAfter(() => undefined)).toHaveLength(3);
    expect(await readAfter(() => undefined)).toEqual([]);
    const newer = (): void => {
      report("/work/a/step-4", "llama");
    };
    expect(await readAfter(newer)).toEqual(["/work/a/step-4"]);
    const again = (): void => {
      reports[0]!.savedAt = "2026-01-02T00:00:00.000Z";
    };
    expect(await readAfter(again)).toEqual(["/work/a/step-3"]);
    const [unreadable] = reports.splice(1, 1);
    expect(await readAfter(() => undefined)).toEqual([]);
    const before = read.get(unreadable!.key)!;
    const broken = (): void => {
      reports.push(unreadable!);
      read.delete(unreadable!.key);
    };
    expect(await readAfter(broken)).toEqual([unreadable!.key]);
    const mended = (): void => void read.set(unreadable!.key, before);
    expect(await readAfter(mended)).toEqual([unreadable!.key]);
    expect(await readAfter(() => undefined)).toEqual([]);
  });
});
