/** Bundles the extension, the command line, the engine process and the webviews into dist/. */
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
    },
    outdir: "dist",
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
      compare: "webview/compare/compare.ts",
      run: "webview/run/run.ts",
    },
    outdir: "dist/webview",
  },
];

if (watch) {
  for (const options of bundles) await (await context(options)).watch();
} else {
  await Promise.all(bundles.map((options) => build(options)));
}
