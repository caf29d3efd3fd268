import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CheckpointFolders } from "../../../src/host/checkpointFolders";
import { Guard } from "../../../src/host/guard";
import { directReader } from "../../../src/host/reading/directReader";
import type { Reader } from "../../../src/host/reading/reader";
import { StatusLine } from "../../../src/host/statusLine";
import { TrainingRuns, type TrainingRunServices } from "../../../src/host/trainingRun/trainingRuns";
import { WatchedRuns } from "../../../src/host/trainingRun/watchedRuns";
import type { Report } from "../../../src/diagnosis/report";
import { sampleReport } from "../report/sampleReport";
import { fixture } from "../support/checkpoints";
import { scratchFolders } from "../support/scratch";

type EditorPanel = Parameters<TrainingRuns["restore"]>[0];

interface Panel {
  title: string;
  close: () => void;
}

interface Line {
  text?: string;
  command?: { arguments: [() => void] };
}

/** What is on screen, what the workspace holds, and what its settings say. */
const editor = vi.hoisted(() => ({
  panels: [] as Panel[],
  errors: [] as { text: string; offers: string[] }[],
  offered: [] as string[],
  files: [] as string[],
  settings: new Map<string, unknown>(),
  lines: [] as Line[],
}));

// As much of the editor as runs touch.
vi.mock("vscode", () => {
  const file = (fsPath: string) => ({ scheme: "file", fsPath, path: fsPath });
  const none = () => ({ dispose: () => undefined });
  return {
    l10n: {
      t: (text: string, ...values: unknown[]) =>
        text.replace(/\{(\d+)\}/g, (_, at: string) => String(values[Number(at)])),
    },
    StatusBarAlignment: { Left: 1 },
    ViewColumn: { Active: -1 },
    QuickPickItemKind: { Separator: -1 },
    ThemeIcon: Object,
    EventEmitter: class {
      fire = () => undefined;
    },
    CancellationTokenSource: class {
      token = { isCancellationRequested: false };
      cancel = () => undefined;
      dispose = () => undefined;
    },
    Uri: class {
      readonly scheme = "file";
      static file = file;
      static joinPath = (uri: { fsPath: string }, ...names: string[]) =>
        file([uri.fsPath, ...names].join("/"));
    },
    commands: { executeCommand: () => Promise.resolve() },
    workspace: {
      getWorkspaceFolder: () => undefined,
      getConfiguration: () => ({ get: (name: string) => editor.settings.get(name) }),
      findFiles: () => Promise.resolve(editor.files.map(file)),
      createFileSystemWatcher: () => ({ ...none(), onDidCreate: none, onDidDelete: none }),
      onDidChangeWorkspaceFolders: none,
    },
    window: {
      createStatusBarItem: () => {
        const line: Line = {};
        editor.lines.push(line);
        return Object.assign(line, { show: () => undefined, hide: () => undefined, ...none() });
      },
      createWebviewPanel: (_: string, title: string) => createPanel(title),
      showErrorMessage: (text: string, ...offers: string[]) => {
        editor.errors.push({ text, offers });
        return Promise.resolve(undefined);
      },
      showQuickPick: (items: { folder?: string }[]) => {
        editor.offered = items.flatMap(({ folder }) => folder ?? []);
        return Promise.resolve(undefined);
      },
    },
  };
});

function createPanel(title: string): EditorPanel {
  let closed = (): void => undefined;
  const panel = {
    ...{ title, visible: true, active: true },
    webview: { onDidReceiveMessage: () => undefined, asWebviewUri: (uri: unknown) => uri },
    onDidDispose: (listener: () => void) => {
      closed = listener;
    },
    onDidChangeViewState: () => undefined,
    reveal: () => undefined,
    dispose: () => {
      closed();
    },
    close: () => {
      closed();
    },
  };
  editor.panels.push(panel);
  return panel as unknown as EditorPanel;
}

const scratch = scratchFolders();
const report = sampleReport({ layers: 4 });

function runFolder(name: string): string {
  const folder = join(scratch(), name);
  for (const step of [1, 2]) {
    cpSync(fixture("llama"), join(folder, `step-${step}`), { recursive: true });
  }
  return folder;
}

/** The runs of a window, and the names of the checkpoints that were measured in it. */
function openWindow(
  reader: Reader = directReader,
  reportOf: () => Promise<Report> = () => Promise.resolve(report),
): { runs: TrainingRuns; measured: string[] } {
  const measured: string[] = [];
  const extensionUri: unknown = { fsPath: "/extension" };
  const quiet = () => undefined;
  const log = { info: quiet, warn: quiet, error: quiet } as unknown as TrainingRunServices["log"];
  const told = new StatusLine("outcome", "Fathom");
  const memory = { get: quiet, update: () => Promise.resolve() };
  const services: Partial<TrainingRunServices> = {
    ...{ log, told, guard: new Guard(log, told), reader },
    extensionUri: extensionUri as TrainingRunServices["extensionUri"],
    folders: new CheckpointFolders(log),
    watchedRuns: new WatchedRuns(memory),
    memory: memory as unknown as TrainingRunServices["memory"],
    reports: {
      stored: () => Promise.resolve(undefined),
      reportOf: ({ path }) => {
        measured.push(path);
        return reportOf();
      },
    },
  };
  return { runs: new TrainingRuns(services as TrainingRunServices), measured };
}

beforeEach(() => {
  editor.panels.length = 0;
  editor.errors.length = 0;
  editor.settings.clear();
  editor.lines.length = 0;
});

describe("two runs in one panel", () => {
  it("part when the panel is closed", async () => {
    const { runs } = openWindow();
    const [a, b] = [runFolder("a"), runFolder("b")];
    await runs.diagnose(a, [a, b]);
    expect(editor.panels[0]!.title).toBe("Run a · b");
    editor.panels[0]!.close();
    // Watching shows the run as its panel was left.
    editor.settings.set("watch.minNeededShare", 0);
    await runs.watch(a);
    expect(editor.panels[1]!.title).toBe("Run a");
    runs.dispose();
  });

  it("come back together by the status line of either while they are measured", async () => {
    let goOn = (): void => undefined;
    const held = new Promise<Report>((resolve) => {
      goOn = () => {
        resolve(report);
      };
    });
    const { runs } = openWindow(directReader, () => held);
    const [a, b] = [runFolder("a"), runFolder("b")];
    const diagnosed = runs.diagnose(a, [a, b]);
    const follow = async (name: string): Promise<void> => {
      const line = await vi.waitUntil(() =>
        editor.lines.find(({ text }) => text?.includes(`Fathom: ${name} step 1`)),
      );
      line.command!.arguments[0]();
    };
    await vi.waitUntil(() => editor.panels.length > 0);
    for (const name of ["a", "b"]) {
      editor.panels.at(-1)!.close();
      await follow(name);
      expect(editor.panels.at(-1)!.title).toBe("Run a · b");
    }
    expect(editor.panels).toHaveLength(3);
    // The panel that is open is the one that both are in.
    await follow("b");
    expect(editor.panels).toHaveLength(3);
    goOn();
    await diagnosed;
    runs.dispose();
  });

  it("part when one of them is asked for, which alone is measured then", async () => {
    const { runs, measured } = openWindow();
    const [a, b] = [runFolder("a"), runFolder("b")];
    await runs.diagnose(a, [a, b]);
    measured.length = 0;
    for (const folder of [a, b]) {
      cpSync(fixture("llama"), join(folder, "step-3"), { recursive: true });
    }
    await runs.diagnose(a);
    expect(editor.panels.map(({ title }) => title)).toEqual(["Run a"]);
    expect(measured).toEqual([join(a, "step-3")]);
  });

  it("come back together when the window is opened again", async () => {
    const { runs, measured } = openWindow();
    const [a, b] = [runFolder("a"), runFolder("b")];
    await runs.restore(createPanel("Run"), { source: { folder: a, other: b } });
    expect(editor.panels[0]!.title).toBe("Run a · b");
    expect(measured).toEqual([]);
  });

  it("that cannot be read say so when the window is opened again", async () => {
    const [a, b] = [runFolder("a"), runFolder("b")];
    const { runs } = openWindow({
      ...directReader,
      readLossLogs: (run) =>
        run.folder === b
          ? Promise.reject(new Error("the reader has ended"))
          : directReader.readLossLogs(run),
    });
    const restored = runs.restore(createPanel("Run"), { source: { folder: a, other: b } });
    await expect(restored).rejects.toThrow("the reader has ended");
  });
});

describe("a wrong setting of watching", () => {
  it("is told with the way to it, and costs no step", async () => {
    const { runs, measured } = openWindow();
    const a = runFolder("a");
    editor.settings.set("watch.minNeededShare", 0);
    await runs.watch(a);
    editor.settings.set("watch.minNeededShare", 2);
    await runs.diagnose(a);
    runs.dispose();
    expect(measured).toHaveLength(2);
    expect(editor.errors).toHaveLength(2);
    expect(editor.errors[0]!.text).toContain("fathom.watch.minNeededShare is 2");
    expect(editor.errors[0]!.offers).toEqual(["Open Settings"]);
  });
});

describe("the list of runs", () => {
  it("has those of weight files in one folder", async () => {
    const { runs } = openWindow();
    const [files, folders, single] = [scratch(), runFolder("a"), scratch()];
    for (const name of ["model_1000.pt", "model_2000.pt"]) writeFileSync(join(files, name), "");
    mkdirSync(join(single, "step-1"));
    writeFileSync(join(single, "step-1", "model.pt"), "");
    editor.files = [
      ...readdirSync(files).map((name) => join(files, name)),
      ...[1, 2].map((step) => join(folders, `step-${step}`, "model.safetensors")),
      join(single, "step-1", "model.pt"),
    ];
    await runs.diagnose();
    expect(editor.offered.toSorted()).toEqual([files, folders].toSorted());
  });
});
