/** Starts one editor with the packaged extension installed, for all test files. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestProject } from "vitest/node";
import { packageExtension } from "../../../scripts/shared/build.mjs";
import { findChromium, installChromium } from "../../../scripts/shared/chromium.mjs";
import * as editor from "../../../scripts/shared/editor.mjs";

declare module "vitest" {
  export interface ProvidedContext {
    editor: EditorAtHand;
  }
}

export interface EditorAtHand {
  address: string;
  chromium: string;
  /** Where each test's workspace is made. */
  workspaces: string;
  /** Where the extension is installed. */
  extensions: string;
}

export async function setup(project: TestProject): Promise<() => void> {
  const vsix = process.env["FATHOM_VSIX"] ?? (await packageExtension());
  await editor.installEditor();
  const folder = mkdtempSync(path.join(tmpdir(), "fathom-editor-"));
  const workspaces = path.join(folder, "workspaces");
  mkdirSync(workspaces);
  editor.writeSettings(folder, { ...editor.quietSettings, "workbench.reduceMotion": "on" });
  await editor.installExtension(folder, vsix);
  const { address, child } = await editor.startEditor(folder, workspaces);
  project.provide("editor", {
    address,
    chromium: findChromium() ?? (await installChromium()),
    workspaces,
    extensions: editor.profileIn(folder).extensions,
  });
  return () => {
    child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
}
