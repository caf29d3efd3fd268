/** The built command line, run as a person or a script would. */
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
export const cliPath = join(root, "dist/cli.js");
export const enginePath = join(root, "dist/engine.js");
export const readerPath = join(root, "dist/reader.js");
export const extensionPath = join(root, "dist/extension.js");

export interface CliOutcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CliRun {
  readonly child: ChildProcess;
  readonly outcome: Promise<CliOutcome>;
}

/** Builds what is tested unless it is newer than every source. */
export function ensureBuilt(): void {
  const built = [cliPath, enginePath, readerPath].every(existsSync)
    ? statSync(enginePath).mtimeMs
    : 0;
  if (built < newestIn(join(root, "src"))) {
    execFileSync(process.execPath, ["esbuild.mjs"], { cwd: root, stdio: "pipe" });
  }
}

function newestIn(folder: string): number {
  const times = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs);
  return Math.max(...times);
}

export function startCli(
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; detached?: boolean } = {},
): CliRun {
  const child = spawn(process.execPath, [cliPath, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
    env: { ...process.env, ...options.env },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const outcome = new Promise<CliOutcome>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
  return { child, outcome };
}

export function runCli(
  args: readonly string[],
  options?: { env?: NodeJS.ProcessEnv; cwd?: string },
): Promise<CliOutcome> {
  return startCli(args, options).outcome;
}

/** The process that the command line has started, once there is one and it computes. */
export async function engineOf(parent: number, isAtWork = computes): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    const child = childrenOf(parent).find(isAtWork);
    if (child !== undefined) return child;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Process ${parent} started no engine.`);
}

/** Process ids of a process's children, by /proc where there is one, else by ps. */
export function childrenOf(parent: number): number[] {
  if (existsSync("/proc/self/task")) {
    const file = `/proc/${parent}/task/${parent}/children`;
    return existsSync(file)
      ? readFileSync(file, "utf8").trim().split(" ").filter(Boolean).map(Number)
      : [];
  }
  return execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([, ppid]) => ppid === parent)
    .map(([pid]) => pid!);
}

/** Whether a process has loaded ONNX Runtime, so that it is past its start. */
function computes(pid: number): boolean {
  const maps = `/proc/${pid}/maps`;
  return existsSync(maps) ? readFileSync(maps, "utf8").includes("onnxruntime") : true;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie answers too, until its parent has taken note of its end.
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !readFileSync(stat, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
