import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../support/checkpoints";
import type { CliRun } from "../support/cli";
import { engineOf, ensureBuilt, isAlive, startCli } from "../support/cli";

beforeAll(ensureBuilt);

/** A run that would take many minutes. */
function startLongRun(options: Parameters<typeof startCli>[1] = {}): CliRun {
  const folder = fixture("llama");
  const tokens = ["--tokens", join(folder, "tokens.json")];
  const long = ["--device", "cpu", "--threads", "1", "--probes", "5000000", "--memory", "0.19"];
  return startCli(["diagnose", folder, ...tokens, ...long, "--json", "-"], options);
}

async function isGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 200 && isAlive(pid); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return !isAlive(pid);
}

describe("an interrupt", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "by %s ends with 130 at once, and its engine with it",
    async (signal) => {
      const { child, outcome } = startLongRun();
      const engine = await engineOf(child.pid!);
      const sent = performance.now();
      child.kill(signal);
      const { code, stdout, stderr } = await outcome;
      expect(code).toBe(130);
      expect(stdout).toBe("");
      expect(stderr).toBe("fathom: The diagnosis was cancelled.\n");
      expect(performance.now() - sent).toBeLessThan(5000);
      expect(await isGone(engine)).toBe(true);
    },
  );

  it("from a terminal, which reaches the engine too, ends with 130 likewise", async () => {
    const { child, outcome } = startLongRun({ detached: true });
    await engineOf(child.pid!);
    process.kill(-child.pid!, "SIGINT");
    const { code, stderr } = await outcome;
    expect(stderr).toBe("fathom: The diagnosis was cancelled.\n");
    expect(code).toBe(130);
  });
});

describe("an engine process that dies", () => {
  it.each<[NodeJS.Signals, string[]]>([
    ["SIGKILL", ["died by SIGKILL", "may have run out of memory", "smaller memory budget"]],
    ["SIGSEGV", ["died by SIGSEGV"]],
  ])("by %s ends with 4 and one line that says so", async (signal, words) => {
    const { child, outcome } = startLongRun();
    process.kill(await engineOf(child.pid!), signal);
    const { code, stdout, stderr } = await outcome;
    expect(code).toBe(4);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^fathom: The engine process [^\n]+\n$/);
    for (const word of words) expect(stderr).toContain(word);
  });
});

describe("an owner that dies", () => {
  it("takes its engine along", async () => {
    const { child, outcome } = startLongRun();
    const engine = await engineOf(child.pid!);
    child.kill("SIGKILL");
    await outcome;
    expect(await isGone(engine)).toBe(true);
  });
});
