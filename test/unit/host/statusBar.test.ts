import { beforeEach, describe, expect, it, vi } from "vitest";
import { Guard } from "../../../src/host/guard";
import { ShownProgress } from "../../../src/host/shownProgress";
import { followed, StatusLine } from "../../../src/host/statusLine";

/** What is on screen: lines of the status bar, progress notifications, messages. */
const screen = vi.hoisted(() => ({
  lines: new Map<string, { text: string; tooltip: string; command: { arguments: unknown[] } }>(),
  notifications: new Set<string>(),
  errors: [] as string[],
}));

// As much of the editor as progress and failures touch.
vi.mock("vscode", () => ({
  l10n: {
    t: (text: string, ...values: unknown[]) =>
      text.replace(/\{(\d+)\}/g, (_, at: string) => String(values[Number(at)])),
  },
  StatusBarAlignment: { Left: 1 },
  ProgressLocation: { Notification: 15 },
  window: {
    // Items of one id are one entry of the editor's: whichever is hidden hides it.
    createStatusBarItem: (id: string) => {
      const line = {
        ...{ text: "", tooltip: "", command: { arguments: [] } },
        show: () => screen.lines.set(id, line),
        hide: () => screen.lines.delete(id),
        dispose: () => screen.lines.delete(id),
      };
      return line;
    },
    withProgress: async (
      { title }: { title: string },
      task: (progress: object, token: object) => Promise<void>,
    ) => {
      screen.notifications.add(title);
      const token = { onCancellationRequested: () => undefined };
      await task({ report: () => undefined }, token);
      screen.notifications.delete(title);
    },
    showErrorMessage: (text: string) => {
      screen.errors.push(text);
      return Promise.resolve(undefined);
    },
  },
}));

const texts = (): string[] => [...screen.lines.values()].map(({ text }) => text);
const layer = { stage: "layer", layer: 2, layers: 12, fraction: 0.2 } as const;

beforeEach(() => {
  screen.lines.clear();
  screen.notifications.clear();
  screen.errors.length = 0;
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

describe("the progress of a diagnosis", () => {
  const shown = (isBackground: boolean): ShownProgress =>
    new ShownProgress({
      ...{ name: "lns/step-9", isBackground },
      cancel: () => undefined,
      show: () => undefined,
    });

  it("is a notification where a person waits for it, and ends with it", async () => {
    const progress = shown(false);
    progress.tell(layer);
    expect([...screen.notifications]).toEqual(["Depth of lns/step-9"]);
    expect(texts()).toEqual([]);
    progress.close();
    await vi.waitFor(() => {
      expect(screen.notifications.size).toBe(0);
    });
  });

  it("is a line of the status bar in the background", () => {
    const progress = shown(true);
    progress.tell(layer);
    expect(texts()).toEqual(["$(sync~spin) Fathom: lns/step-9, layer 3 of 12"]);
    expect([...screen.lines.values()][0]!.tooltip).toContain("Layer 2 (3 of 12)");
    expect(screen.notifications.size).toBe(0);
    progress.close();
    expect(texts()).toEqual([]);
  });

  it("is a line while it waits for its turn, and a notification from then on", () => {
    const progress = shown(false);
    progress.tell({ stage: "opening", fraction: 0 }, "pre-ln/step-9");
    expect(texts()).toEqual(["$(clock) Fathom: lns/step-9 is waiting"]);
    expect(screen.notifications.size).toBe(0);
    progress.tell(layer);
    expect(texts()).toEqual([]);
    expect(screen.notifications.size).toBe(1);
    progress.close();
  });

  it("is a line of its own beside those of others", () => {
    const [running, waiting, background] = [shown(false), shown(false), shown(true)];
    waiting.tell({ stage: "opening", fraction: 0 }, "pre-ln/step-9");
    background.tell(layer);
    running.tell(layer);
    expect(texts()).toHaveLength(2);
    background.close();
    expect(texts()).toEqual(["$(clock) Fathom: lns/step-9 is waiting"]);
    running.close();
    waiting.close();
    expect(texts()).toEqual([]);
  });
});

describe("what came of something", () => {
  const told = { text: "done", tooltip: "It is done." };

  it("passes by itself, and with a click", () => {
    const line = new StatusLine("outcome", "Fathom");
    const follow = vi.fn();
    line.tell({ ...told, follow });
    expect(texts()).toEqual(["done"]);
    vi.advanceTimersByTime(61_000);
    expect(texts()).toEqual([]);
    line.tell({ ...told, follow });
    followed([...screen.lines.values()][0]!.command.arguments[0]);
    expect(follow).toHaveBeenCalledOnce();
    expect(texts()).toEqual([]);
  });
});

describe("a failure", () => {
  const log = { error: () => undefined, show: () => undefined };
  const guard = new Guard(log as never, new StatusLine("outcome", "Fathom"));
  const fail = (): Promise<void> => Promise.reject(new Error("no such file"));

  it("of what a person asked for is a message", async () => {
    await guard.run("compare", fail);
    expect(screen.errors).toEqual(["Fathom could not compare: no such file"]);
    expect(texts()).toEqual([]);
  });

  it("of what nobody asked for interrupts nobody", async () => {
    await guard.run("read the report again", fail);
    expect(screen.errors).toEqual([]);
    expect(texts()).toEqual(["$(warning) Fathom: see the log"]);
  });
});
