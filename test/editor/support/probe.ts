/** Asks the probe, an extension in the same extension host, what has held that up. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { vi } from "vitest";

/** One turn of the host's event loop; times in milliseconds. */
export interface Turn {
  wallMs: number;
  /** Processor time of the host's thread: what others took from it is not in it. */
  cpuMs: number;
  /** Of that, what Fathom's functions and those that they called took. */
  ownMs: number;
  /** How often the profiler looked. */
  samples: number;
  /** Those that were found at work most often. */
  functions: string[];
}

/** What a language-model tool answered, or the error that it was refused with. */
export interface ToolAnswer {
  text?: string;
  error?: string;
}

/** What it took to activate Fathom, in milliseconds of processor time of the host's thread. */
export interface Activation {
  /** Running its main file, compiling included. */
  load: number;
  activate: number;
}

/** To be in a workspace whose probe shall wake. */
export const probeFile = path.join(".vscode", "probe");

/** Wakes the probe in a folder that is opened next, without its profiler. */
export function wakeProbe(folder: string): void {
  writeFileSync(path.join(folder, probeFile), "activation");
}

export class Probe {
  private constructor(private readonly address: string) {}

  /** Waits until the extension host of a workspace runs. */
  static async in(folder: string): Promise<Probe> {
    const port = await vi.waitFor(
      () => {
        const text = readFileSync(path.join(folder, probeFile), "utf8");
        if (!/^\d+$/.test(text)) throw new Error("The probe has not been heard of.");
        return Number(text);
      },
      { timeout: 60_000 },
    );
    return new Probe(`http://127.0.0.1:${port}`);
  }

  /** Begins to look; it has looked from the start until the first `turns`. */
  async start(): Promise<void> {
    await fetch(`${this.address}/start`);
  }

  /** Of a window whose probe file said `activation`; waits until it is known. */
  async activation(): Promise<Activation> {
    return vi.waitFor(
      async () => {
        const answer = await fetch(`${this.address}/activation`);
        const { load, activate } = (await answer.json()) as Partial<Activation>;
        if (load === undefined || activate === undefined) throw new Error("Fathom sleeps still.");
        return { load, activate };
      },
      { timeout: 60_000, interval: 200 },
    );
  }

  /** How often the workspace has been searched for weights since the window was opened. */
  async searches(): Promise<number> {
    const answer = await fetch(`${this.address}/searches`);
    return ((await answer.json()) as { count: number }).count;
  }

  /** What is known of a language-model tool in this host. */
  async tool(name: string): Promise<{ name?: string; inputSchema?: unknown }> {
    const answer = await fetch(`${this.address}/describe?tool=${name}`);
    return (await answer.json()) as { name?: string };
  }

  /** Asks a language-model tool, as an assistant that is no part of a chat. */
  async ask(tool: string, input: object): Promise<ToolAnswer> {
    const question = new URLSearchParams({ tool, input: JSON.stringify(input) });
    const answer = await fetch(`${this.address}/ask?${question.toString()}`);
    return (await answer.json()) as ToolAnswer;
  }

  /** What was asked last is not wanted any more. */
  async cancelAsking(): Promise<void> {
    await fetch(`${this.address}/cancel`);
  }

  /** The turns since the start that took ten milliseconds or more, the longest of Fathom's first. */
  async turns(): Promise<Turn[]> {
    const answer = await fetch(`${this.address}/stop?of=/fathom.fathom-`);
    const { turns } = (await answer.json()) as { turns: Turn[] };
    return turns.sort((a, b) => b.ownMs - a.ownMs);
  }
}
