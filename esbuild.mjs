/** Bundles the extension, the command line, the engine process and the webviews into dist/. */
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { build, context } from "esbuild";

const watch = process.argv.includes("--watch");

/** @type {import("esbuild").BuildOptions} */
const shared = {
  bundle: true,
  minify: !watch,
  sourcemap: watch ? "inline" : false,
  logLevel: "info",
  legalComments: "none",
};

/**
 * What few windows need is a bundle of its own, which the extension loads when it is first asked for: what
 * asks how a checkpoint is read, what reads .gitignore, the rows of the tree and what is done with them,
 * what shows the tensors of a checkpoint, what asks for the reports to compare, what stands above the norms
 * in a model's code, what asks whose code that is, what edits it, and in the reading thread what reads more
 * than a tensor directory. So it costs nothing when the editor starts, or a file is opened. Each bundle has
 * its own texts.
 */
const lazy = {
  readings: "src/host/readings/readingChooser.ts",
  gitIgnore: "src/host/side/gitIgnore.ts",
  treeRows: "src/host/side/treeRows.ts",
  rowActions: "src/host/side/rowActions.ts",
  directory: "src/host/directory/shownDirectory.ts",
  compared: "src/host/compare/pickTargets.ts",
  lenses: "src/host/python/normLenses.ts",
  checkpointOfCode: "src/host/python/checkpointOfCode.ts",
  scaling: "src/host/python/layerNormScaling.ts",
  reading: "src/host/reading/packedReader.ts",
};

/**
 * Leaves dynamic imports of those to their bundles.
 *
 * @type {import("esbuild").Plugin}
 */
const lazyBundles = {
  name: "lazy-bundles",
  setup(bundle) {
    bundle.onResolve({ filter: /^\./ }, ({ kind, path: module, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const file = path.relative(import.meta.dirname, path.resolve(resolveDir, `${module}.ts`));
      const found = Object.entries(lazy).find(([, entry]) => path.normalize(entry) === file);
      return found && { path: `./${found[0]}.js`, external: true };
    });
  },
};

/**
 * The editor's API as it is: a namespace of it would be a copy of some 500 properties, made by each
 * file that imports it while the editor waits for the activation.
 *
 * @type {import("esbuild").Plugin}
 */
const editorAsItIs = {
  name: "editor-as-it-is",
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]src[\\/](host[\\/].*|extension)\.ts$/ }, ({ path: file }) => ({
      contents: readFileSync(file, "utf8").replace(
        /^import \* as vscode from "vscode";$/m,
        'const vscode: typeof import("vscode") = require("vscode");',
      ),
      loader: "ts",
    }));
  },
};

/** @type {import("esbuild").BuildOptions[]} */
const bundles = [
  {
    ...shared,
    platform: "node",
    target: "node20",
    format: "cjs",
    entryPoints: {
      extension: "src/extension.ts",
      cli: "src/cli.ts",
      engine: "src/engineProcess.ts",
      reader: "src/host/reading/readerThread.ts",
      python: "src/host/python/pythonThread.ts",
      ...lazy,
    },
    outdir: "dist",
    plugins: [lazyBundles, editorAsItIs],
    alias: {
      // Its other build finds itself by import.meta, which a CommonJS bundle has not.
      "web-tree-sitter": "./node_modules/web-tree-sitter/web-tree-sitter.cjs",
      // Its other build loads the network modules of Node, to fetch texts that are handed over here.
      "@vscode/l10n": "./node_modules/@vscode/l10n/dist/browser.js",
    },
    // ONNX Runtime loads its native library from a path beside its own files.
    external: ["vscode", "onnxruntime-node"],
  },
  {
    ...shared,
    platform: "browser",
    target: "es2022",
    format: "iife",
    entryPoints: {
      panel: "webview/panel/panel.ts",
      side: "webview/side/side.ts",
      compare: "webview/compare/compare.ts",
      directory: "webview/directory/directory.ts",
      run: "webview/run/run.ts",
    },
    outdir: "dist/webview",
  },
];

mkdirSync("dist", { recursive: true });
const { resolve } = createRequire(import.meta.url);
for (const file of [
  "web-tree-sitter/web-tree-sitter.wasm",
  "tree-sitter-python/tree-sitter-python.wasm",
]) {
  copyFileSync(resolve(file), path.join("dist", path.basename(file)));
}

if (watch) {
  for (const options of bundles) await (await context(options)).watch();
} else {
  await Promise.all(bundles.map((options) => build(options)));
}
