/** Dependencies, bundles and the packaged extension, each made only when its inputs changed. */
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { root, runQuietly } from "./process.mjs";
import { whenChanged } from "./stamps.mjs";
import { hostTarget } from "./targets.mjs";

const bundled = ["src", "webview", "esbuild.mjs", "package.json", "package-lock.json"];
const shipped = [
  "package.nls.json",
  "l10n",
  "media/icons",
  "media/text",
  "media/walkthrough",
  "media/report.schema.json",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
  ".vscodeignore",
  "scripts/prepublish.mjs",
  "scripts/shared",
];

export async function installDependencies() {
  const stamp = { inputs: ["package-lock.json"], outputs: ["node_modules/.package-lock.json"] };
  await whenChanged("dependencies", { ...stamp, also: [process.version] }, async () => {
    console.log("Installing dependencies…");
    const isFresh = !existsSync(path.join(root, "node_modules"));
    await runQuietly("Installing the dependencies", "npm", [isFresh ? "ci" : "install"]);
  });
}

export async function build() {
  const pages = ["panel", "side", "compare", "run"].map((name) => `webview/${name}.js`);
  const outputs = [
    ...["extension.js", "reader.js", "engine.js", "cli.js", ...pages],
    ...[
      "python.js",
      "readings.js",
      "gitIgnore.js",
      "treeRows.js",
      "rowActions.js",
      "directory.js",
      "compared.js",
      "lenses.js",
      "checkpointOfCode.js",
      "scaling.js",
      "reading.js",
      "web-tree-sitter.wasm",
      "tree-sitter-python.wasm",
    ],
  ].map((name) => `dist/${name}`);
  await whenChanged("build", { inputs: bundled, outputs }, async () => {
    console.log("Building…");
    await runQuietly("The build", "npm", ["run", "build"]);
  });
}

/** @returns the path of the .vsix file for `target` */
export async function packageExtension(target = hostTarget) {
  const vsix = path.join("out", `fathom-${target}.vsix`);
  const inputs = [...bundled, ...shipped];
  await whenChanged(`package-${target}`, { inputs, outputs: [vsix] }, async () => {
    console.log(`Packaging the extension for ${target}…`);
    mkdirSync(path.join(root, "out"), { recursive: true });
    const vsce = path.join(root, "node_modules", "@vscode", "vsce", "vsce");
    const options = ["--target", target, "--out", vsix];
    await runQuietly("Packaging", process.execPath, [vsce, "package", ...options], {
      env: { ...process.env, FATHOM_TARGET: target },
    });
  });
  return path.join(root, vsix);
}
