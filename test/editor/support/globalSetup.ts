/** Starts an editor with the packaged extension installed for each worker that runs test files. */
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { packageExtension } from "../../../scripts/shared/build.mjs";
import { findChromium, installChromium } from "../../../scripts/shared/chromium.mjs";
import { root, runQuietly } from "../../../scripts/shared/process.mjs";
import * as editor from "../../../scripts/shared/editor.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    /** The one of each worker, in the order of their numbers. */
    editors: EditorAtHand[];
  }
}

export interface EditorAtHand {
  address: string;
  /** Of its process. */
  pid: number;
  chromium: string;
  /** Where each test's workspace is made. */
  workspaces: string;
  /** Where the extension is installed. */
  extensions: string;
  /** Where the editor keeps settings and state. */
  userData: string;
}

export async function setup(project: TestProject): Promise<() => void> {
  const vsix = process.env["FATHOM_VSIX"] ?? (await packageExtension());
  await editor.installEditor();
  const chromium = findChromium() ?? (await installChromium());
  const folder = mkdtempSync(path.join(tmpdir(), "fathom-editor-"));
  const probe = await packageProbe(folder);
  const running: ChildProcess[] = [];
  const editors: EditorAtHand[] = [];
  for (let worker = 1; worker <= project.config.maxWorkers; worker++) {
    const home = path.join(folder, `worker-${worker}`);
    const workspaces = path.join(home, "workspaces");
    mkdirSync(workspaces, { recursive: true });
    editor.writeSettings(home, { ...editor.quietSettings, "workbench.reduceMotion": "on" });
    await editor.installExtension(home, vsix, probe);
    const { address, child } = await editor.startEditor(home, workspaces);
    running.push(child);
    const { extensions, userData } = editor.profileIn(home);
    editors.push({ address, pid: child.pid!, chromium, workspaces, extensions, userData });
  }
  project.provide("editors", editors);
  return () => {
    for (const child of running) child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** What measures the extension host from within; it sleeps unless a test wakes it. */
async function packageProbe(folder: string): Promise<string> {
  const vsix = path.join(folder, "probe.vsix");
  const vsce = path.join(root, "node_modules", "@vscode", "vsce", "vsce");
  const options = ["--out", vsix, "--skip-license", "--allow-missing-repository"];
  await runQuietly("Packaging the probe", process.execPath, [vsce, "package", ...options], {
    cwd: path.join(import.meta.dirname, "probe"),
  });
  return vsix;
}
