import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { pathOf } from "../../../src/host/python/pathOf";
import { PythonSources } from "../../../src/host/python/pythonSources";
import type { PythonReader } from "../../../src/python/reader";
import type { ModuleFile } from "../../../src/python/structure";
import { scratchFolders } from "../support/scratch";

const newFolder = scratchFolders();
let folder: string;
let sources: PythonSources;
/** What was read: each text once its turn has come. */
let read: ReturnType<typeof vi.fn<PythonReader["read"]>>;
let goOn: () => void;

beforeEach(() => {
  folder = newFolder();
  const paused: (() => void)[] = [];
  goOn = () => paused.shift()?.();
  read = vi.fn(async (name: string, text: string, _previous, signal) => {
    if (text.startsWith("slow")) await new Promise<void>((resolve) => paused.push(resolve));
    return signal?.aborted === true ? undefined : fileOf(name, text);
  });
  sources = new PythonSources(Promise.resolve({ read }));
});

/** A file as the reader gives it, with its text where the tests look for it. */
function fileOf(name: string, text: string): ModuleFile {
  return { path: name, text } as unknown as ModuleFile;
}

const texts = (): string[] => read.mock.calls.map(([, text]) => text);
const place = (name: string): string => pathOf({ fsPath: path.join(folder, name) });

function hear(name: string, version: number, text: string): void {
  sources.hear([{ kind: "opened", path: place(name), version, text }]);
}

it("reads a document once, however often it is asked for", async () => {
  hear("a.py", 1, "one");
  const at = { path: place("a.py"), version: 1 };
  const found = await Promise.all([sources.readDocument(at), sources.readDocument(at)]);
  expect(found[0]).toEqual(fileOf(at.path, "one"));
  expect(found[1]).toBe(found[0]);
  expect(texts()).toEqual(["one"]);
});

it("drops what it reads of a document that is edited, and reads only the newest", async () => {
  const path = place("a.py");
  const asked = [1, 2, 3].map((version) => {
    hear("a.py", version, `slow ${version}`);
    return sources.readDocument({ path, version });
  });
  for (let turn = 0; turn < 20; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    goOn();
  }
  expect(await Promise.all(asked)).toEqual([undefined, undefined, fileOf(path, "slow 3")]);
  expect(texts()).not.toContain("slow 2");
  expect(await sources.readDocument({ path, version: 1 })).toBeUndefined();
});

it("does not take a document for an earlier one that was closed", async () => {
  const at = { path: place("a.py"), version: 1 };
  hear("a.py", 1, "before");
  await sources.readDocument(at);
  sources.hear([{ kind: "closed", path: at.path }]);
  hear("a.py", 1, "after");
  expect(await sources.readDocument(at)).toEqual(fileOf(at.path, "after"));
});

it("reads a folder from disk, open documents as they are edited, and what has changed again", async () => {
  mkdirSync(path.join(folder, "layers"));
  writeFileSync(path.join(folder, "model.py"), "model");
  writeFileSync(path.join(folder, "layers", "norm.py"), "norm");
  hear("model.py", 1, "model, edited");
  const all = async (isWatched = true): Promise<string[]> => {
    read.mockClear();
    const { files } = await sources.readFolder(folder, path.join(folder, "model.py"), isWatched);
    expect(files.map((file) => file.path)).toEqual([place("layers/norm.py"), place("model.py")]);
    return texts();
  };
  expect(await all()).toEqual(["norm", "model, edited"]);
  expect(await all()).toEqual([]);
  const norm = path.join(folder, "layers", "norm.py");
  writeFileSync(norm, "norm, edited");
  utimesSync(norm, 1, 1);
  // In a watched folder it counts once it is told.
  expect(await all()).toEqual([]);
  sources.hear([{ kind: "changed", path: place("layers/norm.py") }]);
  expect(await all()).toEqual(["norm, edited"]);
  utimesSync(norm, 2, 2);
  sources.hear([{ kind: "listed" }]);
  expect(await all(false)).toEqual(["norm, edited"]);
  utimesSync(norm, 3, 3);
  expect(await all(false)).toEqual(["norm, edited"]);
});

it("reads the document of a folder until it is as it stands", async () => {
  writeFileSync(path.join(folder, "a.py"), "");
  hear("a.py", 1, "slow");
  const reading = sources.readFolder(folder, path.join(folder, "a.py"), true);
  await vi.waitFor(() => {
    expect(texts()).toEqual(["slow"]);
  });
  hear("a.py", 2, "fast");
  goOn();
  expect((await reading).files).toEqual([fileOf(place("a.py"), "fast")]);
});
