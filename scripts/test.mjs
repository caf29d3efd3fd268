/**
 * `npm test`: all that is tested, on a fresh machine too, but for lint and the editor tests that are marked
 * thorough; `npm test -- --thorough`: these too; `npm test -- --unit`: types, lint and unit tests.
 * Ends with one line, `N passed, N failed`, over all suites; each check counts as one.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { build, installDependencies, packageExtension } from "./shared/build.mjs";
import { findChromium, installChromium } from "./shared/chromium.mjs";
import { installEditor } from "./shared/editor.mjs";
import { root, run, runMain, Stop } from "./shared/process.mjs";

await runMain(async (args) => {
  const [extent, unknown] = args;
  const isQuick = extent === "--unit";
  const isThorough = extent === "--thorough";
  if (unknown !== undefined || (extent !== undefined && !isQuick && !isThorough)) {
    throw new Stop(`unknown option ${unknown ?? extent}; usage: npm test [-- --unit | --thorough]`);
  }
  const total = { passed: 0, failed: 0 };
  const count = async (name, suite) => {
    console.log(`\n== ${name} ==`);
    const { passed, failed } = await suite().catch((error) => {
      console.error(error instanceof Stop ? error.message : error);
      return { passed: 0, failed: 1 };
    });
    console.log(`${name}: ${passed} passed, ${failed} failed`);
    total.passed += passed;
    total.failed += failed;
    return failed === 0;
  };

  await count("Dependencies", () => check(installDependencies));
  const built = await count("Build", () => check(build));
  // Most of what is fetched waits for the network, and most of what is checked for one core.
  const [browser, packed, editor] = await Promise.all([
    // The unit tests find the browser's software GPU where it is installed.
    isQuick || count("Chromium", () => check(ensureChromium)),
    !isQuick && built && count("Package", () => check(packageExtension)),
    isQuick || count("VS Code", () => check(installEditor)),
    count("Types", () => check(() => npm("typecheck"))),
    (isQuick || isThorough) && count("Lint", () => check(() => npm("lint"))),
  ]);
  await count("Unit tests", () => vitest("vitest.config.mjs", "unit"));
  if (!isQuick && browser) {
    // The browser brings a software GPU with it.
    await count("WebGPU tests", () => vitest("test/webgpu/vitest.config.mjs", "webgpu"));
  }
  if (!isQuick && browser && packed && editor) {
    await count("Editor tests", () => editorTests(isThorough));
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
});

async function check(action) {
  const code = await action();
  return code === undefined || code === 0 || typeof code === "string"
    ? { passed: 1, failed: 0 }
    : { passed: 0, failed: 1 };
}

function npm(script) {
  return run("npm", ["run", "--silent", script]);
}

async function ensureChromium() {
  process.env.CHROMIUM_PATH = findChromium() ?? (await installChromium());
}

function editorTests(isThorough) {
  const chosen = isThorough ? [] : ["--tags-filter=!thorough"];
  return vitest("test/editor/vitest.config.mjs", "editor", chosen);
}

async function vitest(config, name, options = []) {
  const results = path.join(root, "out", "test", `${name}.json`);
  mkdirSync(path.dirname(results), { recursive: true });
  rmSync(results, { force: true });
  const code = await run(process.execPath, [
    path.join("node_modules", "vitest", "vitest.mjs"),
    "run",
    "--config",
    config,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${results}`,
    ...options,
  ]);
  if (!existsSync(results)) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(
    readFileSync(results, "utf8"),
  );
  // A file that cannot be loaded fails without a failed test in it.
  const failed =
    numFailedTests > 0 ? numFailedTests : Math.max(numFailedTestSuites, code === 0 ? 0 : 1);
  return { passed: numPassedTests, failed };
}
