/** The processes that an editor has started, as the system lists them. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** The engine processes of the editor that has its extensions in this folder. */
export function enginesOf(extensions: string): number[] {
  return commandLines()
    .filter(([, line]) => line.includes(extensions) && line.includes("engine.js"))
    .map(([pid]) => pid);
}

/** The extension hosts of an editor, by the process that was started: one for each window. */
export function extensionHostsOf(editor: number): number[] {
  return commandLines()
    .filter(([pid, line]) => line.includes("--type=extensionHost") && isBelow(pid, editor))
    .map(([pid]) => pid);
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = parentOf(at)) if (at === ancestor) return true;
  return false;
}

export function parentOf(pid: number): number {
  if (process.platform !== "linux") {
    return Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
  }
  const status = textOf(`/proc/${pid}/status`);
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
}

function commandLines(): [pid: number, line: string][] {
  if (process.platform !== "linux") {
    const listing = execFileSync("ps", ["-e", "-o", "pid=", "-o", "args="], { encoding: "utf8" });
    return listing.split("\n").map((line) => [Number.parseInt(line, 10), line]);
  }
  // A small Linux has no `ps`.
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [Number(pid), textOf(`/proc/${pid}/cmdline`)]);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    // It has ended since.
    return "";
  }
}
