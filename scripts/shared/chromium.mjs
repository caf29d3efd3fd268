/** Finds a Chromium to drive the editor with, or installs one. */
import { accessSync, constants } from "node:fs";
import path from "node:path";
import { root, run, Stop } from "./process.mjs";

/** A Chromium without windows: a page takes half the time, or less, of what it takes the whole browser. */
const headless = "chromium-headless-shell";

/** @returns the path of a Chromium or Chrome on this machine */
export function findChromium() {
  const names = [headless, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  const candidates = [
    process.env.CHROMIUM_PATH,
    ...folders.flatMap((folder) => names.map((name) => path.join(folder, name))),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ];
  return candidates.find((candidate) => candidate !== undefined && isExecutable(candidate));
}

/** Installs Chromium from the system's packages where that is allowed, else for this user. */
export async function installChromium() {
  console.log("Installing Chromium…");
  const isRoot = process.getuid?.() === 0;
  if (process.platform === "linux" && isRoot) {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const quietly = { env, stdio: ["ignore", "ignore", "inherit"] };
    // Installing fails where the lists are old, so that they could not be fetched may be passed over.
    await run("apt-get", ["update", "-qq"], quietly).catch(() => 1);
    // Not every release of the system has the first.
    for (const name of [headless, "chromium"]) {
      await run("apt-get", ["install", "-y", "-qq", name], quietly).catch(() => 1);
      const installed = findChromium();
      if (installed !== undefined) return installed;
    }
  }
  const cli = path.join(root, "node_modules", "playwright-core", "cli.js");
  if ((await run(process.execPath, [cli, "install", "chromium"])) === 0) {
    const { chromium } = await import("playwright-core");
    if (isExecutable(chromium.executablePath())) return chromium.executablePath();
  }
  throw new Stop("Chromium could not be installed; install it and set CHROMIUM_PATH to its path.");
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
