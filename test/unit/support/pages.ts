/** The webviews' pages as they are bundled, and the browser that shows them. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { chromium, type Browser } from "playwright-core";
import { findChromium } from "../../../scripts/shared/chromium.mjs";

/** Undefined where there is none: tests of pages are left out then. */
export const browserPath = findChromium();

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath!,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });
}

/**
 * Bundles pages into `folder`.
 *
 * @returns what each of them is made of
 */
export async function bundlePages<Name extends string>(
  folder: string,
  names: readonly Name[],
): Promise<(name: Name) => { script: string; style: string }> {
  await build({
    bundle: true,
    platform: "browser",
    target: "es2022",
    format: "iife",
    entryPoints: Object.fromEntries(names.map((name) => [name, `webview/${name}/${name}.ts`])),
    outdir: folder,
    absWorkingDir: path.join(import.meta.dirname, "../../.."),
    logLevel: "error",
  });
  return (name) => ({
    script: readFileSync(path.join(folder, `${name}.js`), "utf8"),
    style: readFileSync(path.join(folder, `${name}.css`), "utf8"),
  });
}
