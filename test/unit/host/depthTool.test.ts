import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { DepthTool, type DepthToolServices } from "../../../src/host/depthTool";
import { sampleReport } from "../report/sampleReport";

const folder = vi.hoisted(() => "/workspace");

// As much of the editor as the tool touches.
vi.mock("vscode", () => ({
  l10n: {
    t: (text: string, ...values: unknown[]) =>
      text.replace(/\{(\d+)\}/g, (_, at: string) => String(values[Number(at)])),
  },
  workspace: { workspaceFolders: [{ uri: { fsPath: folder } }] },
  Uri: { file: (fsPath: string) => ({ scheme: "file", fsPath }) },
  CancellationError: class CancellationError extends Error {
    override name = "Canceled";
  },
  LanguageModelToolResult: class {
    constructor(readonly content: unknown[]) {}
  },
  LanguageModelTextPart: class {
    constructor(readonly value: string) {}
  },
}));

const report = sampleReport({ layers: 4 });

type Token = Parameters<DepthTool["invoke"]>[1];
type Listening = ReturnType<Token["onCancellationRequested"]>;

/** A token, and what cancels it. */
class Cancellation {
  private readonly listeners = new Set<() => void>();
  readonly token: Token;
  private isRequested = false;

  constructor() {
    const { listeners } = this;
    const isRequested = (): boolean => this.isRequested;
    this.token = {
      get isCancellationRequested() {
        return isRequested();
      },
      onCancellationRequested: (listener) => {
        const tell = (): void => {
          listener(undefined);
        };
        listeners.add(tell);
        const listening: unknown = { dispose: () => listeners.delete(tell) };
        return listening as Listening;
      },
    };
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  cancel(): void {
    this.isRequested = true;
    for (const tell of [...this.listeners]) tell();
  }
}

let cancellation: Cancellation;
beforeEach(() => {
  cancellation = new Cancellation();
});

const refuse = (): Promise<never> => Promise.reject(new Error("nobody may ask for this"));
const toolWith = (services: Partial<DepthToolServices>): DepthTool =>
  new DepthTool({ reader: { readReport: refuse }, stored: refuse, diagnose: refuse, ...services });

const prepare = (tool: DepthTool, path: string) =>
  tool.prepareInvocation({ input: { path } }, cancellation.token);
const invoke = (tool: DepthTool, path: string) =>
  tool.invoke({ input: { path }, toolInvocationToken: undefined }, cancellation.token);

describe("before the assistant's tool is used", () => {
  it("a person is asked whether to measure", async () => {
    const tool = toolWith({ stored: () => Promise.resolve(undefined) });
    const { confirmationMessages } = await prepare(tool, "runs/step-10");
    expect(confirmationMessages?.message).toBe("Measure runs/step-10 on this machine?");
  });

  it("nobody is asked where a stored report answers", async () => {
    const asked: string[] = [];
    const tool = toolWith({
      stored: ({ fsPath }) => {
        asked.push(fsPath);
        return Promise.resolve(report);
      },
    });
    const prepared = await prepare(tool, "runs/step-10");
    expect(prepared).toEqual({ invocationMessage: "Reading the stored report of step-10" });
    expect(asked).toEqual([join(folder, "runs/step-10")]);
  });

  it("nobody is asked to read a report, but for the index of shards, which is none", async () => {
    const tool = toolWith({ stored: () => Promise.resolve(undefined) });
    expect((await prepare(tool, "a.fathom.json")).confirmationMessages).toBeUndefined();
    const index = await prepare(tool, "model.safetensors.index.json");
    expect(index.confirmationMessages).toBeDefined();
  });

  it("what cannot be looked up is asked about", async () => {
    expect((await prepare(toolWith({}), "step-10")).confirmationMessages).toBeDefined();
  });
});

describe("the assistant's tool", () => {
  it("answers with the figures of what it measured, and hears no more of the token", async () => {
    const tool = toolWith({ diagnose: () => Promise.resolve(report) });
    const { content } = await invoke(tool, "/elsewhere/step-10");
    expect(content).toEqual([{ value: expect.stringContaining("| 0 |") }]);
    expect(cancellation.listenerCount).toBe(0);
  });

  it("reads a report", async () => {
    const read: string[] = [];
    const readReport = (file: string): Promise<Report> => {
      read.push(file);
      return Promise.resolve(report);
    };
    await invoke(toolWith({ reader: { readReport } }), "a.fathom.json");
    expect(read).toEqual([join(folder, "a.fathom.json")]);
  });

  it("cancels the diagnosis that it began once the answer is not wanted", async () => {
    const tool = toolWith({
      diagnose: (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            resolve(undefined);
          });
        }),
    });
    const answer = invoke(tool, "step-10");
    cancellation.cancel();
    await expect(answer).rejects.toMatchObject({ name: "Canceled" });
    expect(cancellation.listenerCount).toBe(0);
  });

  it("begins nothing that is not wanted any more", async () => {
    cancellation.cancel();
    await expect(invoke(toolWith({}), "step-10")).rejects.toMatchObject({ name: "Canceled" });
    await expect(prepare(toolWith({}), "step-10")).rejects.toMatchObject({ name: "Canceled" });
  });

  it("says what was not measured", async () => {
    const tool = toolWith({ diagnose: () => Promise.resolve(undefined) });
    await expect(invoke(tool, "step-10")).rejects.toThrow(`${join(folder, "step-10")} was not`);
  });
});
