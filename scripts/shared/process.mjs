/** Runs other programs, and ends with one clear line when something is missing. */
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");

/** What can be downloaded or made again. vsce walks every folder but node_modules. */
export const cache = path.join(root, "node_modules", ".cache", "fathom");

/** A failure whose message is all that a person needs; no stack is printed. */
export class Stop extends Error {}

/** Runs `main` and turns a failure into one line and an exit code. */
export async function runMain(main) {
  try {
    checkNode();
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    console.error(error instanceof Stop ? `fathom: ${error.message}` : error);
    process.exitCode = 1;
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Stop(
      `Node ${process.versions.node} is too old; install Node 20.19 or newer from https://nodejs.org.`,
    );
  }
}

/**
 * Runs a program with its output on screen.
 *
 * @returns its exit code
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: "inherit",
      ...forWindows(),
      ...options,
    });
    child.on("error", (error) => reject(missing(command, error)));
    child.on("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}

/**
 * Runs a program that has nothing to say unless it fails.
 *
 * @param purpose what fails then, for example `The build`
 * @returns its standard output
 */
export function runQuietly(purpose, command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      ...forWindows(),
      ...options,
    });
    let all = "";
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      all += text;
    });
    child.on("error", (error) => reject(missing(command, error)));
    child.on("close", (code) => {
      if (code === 0) {
        resolve(output);
      } else {
        console.error(all.trimEnd());
        reject(new Stop(`${purpose} failed${hintFor(all)}.`));
      }
    });
  });
}

/** npm and code are batch files on Windows, which only a shell can start. */
function forWindows() {
  return process.platform === "win32" ? { shell: true } : {};
}

function missing(command, error) {
  if (error.code !== "ENOENT") return error;
  return new Stop(
    command === "npm"
      ? "npm was not found; it comes with Node from https://nodejs.org."
      : `${command} was not found.`,
  );
}

function hintFor(output) {
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH/.test(output);
  return offline ? ": the package registry cannot be reached; is there a network connection" : "";
}

/** @returns true when a program of that name can be started */
export async function isOnPath(command) {
  const finder = process.platform === "win32" ? "where" : "which";
  return new Promise((resolve) => {
    const child = spawn(finder, [command], { stdio: "ignore" });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}
