import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CodeChanges } from "../../../src/host/python/codeChanges";

let watched: string[];
let open: string[];
let changed: ReturnType<typeof vi.fn<() => void>>;
let settled: ReturnType<typeof vi.fn<(isElsewhere: boolean) => void>>;
let changes: CodeChanges;

const uri = (fsPath: string) => ({ scheme: "file", fsPath });
const document = (fsPath: string, isDirty = true) => ({ uri: uri(fsPath), isDirty });
const [model, layers] = ["/home/.me/work/model.py", "/home/.me/work/layers.py"];

beforeEach(() => {
  vi.useFakeTimers();
  [watched, open] = [[layers], []];
  [changed, settled] = [vi.fn(), vi.fn()];
  changes = new CodeChanges({
    watching: () => watched.map(uri),
    isOpen: (path) => open.includes(path),
    relative: ({ fsPath }) => fsPath.replace("/home/.me/work/", ""),
    changed,
    settled,
  });
});
afterEach(() => {
  changes.dispose();
  vi.useRealTimers();
});

/** What was told once the changes rest: whether files depend on others that have changed. */
function told(): boolean[] {
  settled.mockClear();
  vi.advanceTimersByTime(1000);
  return settled.mock.calls.map(([isElsewhere]) => isElsewhere);
}

it("tells once of many changes, when they rest", () => {
  for (let letter = 0; letter < 5; letter++) {
    changes.edited(document(model));
    vi.advanceTimersByTime(200);
  }
  expect(changed).toHaveBeenCalledTimes(5);
  expect(settled).not.toHaveBeenCalled();
  expect(told()).toEqual([true]);
  changes.edited(document(layers));
  expect(told()).toEqual([false]);
  changes.edited(document(layers));
  changes.written(uri(model));
  expect(told()).toEqual([true]);
  expect(told()).toEqual([]);
});

it("waits for nothing where nobody sees lenses, and has what was found dropped", () => {
  watched = [];
  changes.edited(document(model));
  expect(vi.getTimerCount()).toBe(0);
  expect(changed).toHaveBeenCalledTimes(1);
  watched = [layers];
  changes.edited(document(model));
  watched = [];
  expect(told()).toEqual([]);
});

it("follows what is written, made and deleted, but for what is no code of the workspace", () => {
  for (const name of ["new.py", "package", "Qwen2.5"]) {
    changes.listed(uri(`/home/.me/work/${name}`));
    expect(told(), name).toEqual([true]);
  }
  for (const name of ["run/model.safetensors", ".git/index", "venv/lib/a.py", "a.pyc"]) {
    changes.listed(uri(`/home/.me/work/${name}`));
    changes.written(uri(`/home/.me/work/${name}`));
    expect(told(), name).toEqual([]);
  }
  changes.edited(document("/home/.me/work/notes.md"));
  expect(told()).toEqual([]);
  expect(changed).toHaveBeenCalledTimes(3);
});

it("takes an open file as it is edited, until edits are dropped with it", () => {
  open = [model];
  changes.written(uri(model));
  expect(told()).toEqual([]);
  changes.edited(document(model));
  expect(told()).toEqual([true]);
  changes.saved(document(model, false));
  changes.closed(document(model, false));
  expect(told()).toEqual([]);
  changes.edited(document(model));
  expect(told()).toEqual([true]);
  changes.closed(document(model, false));
  expect(told()).toEqual([true]);
});
