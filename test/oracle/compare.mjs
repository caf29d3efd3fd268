/**
 * Diagnoses every case of a fixtures folder with the built CLI and compares with its reference.
 *
 *     node test/oracle/compare.mjs [folder] [--case NAME]… [-- more options of diagnose]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compareWithReference } from "./tolerances.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const cli = join(root, "dist/cli.js");
const shownFailures = 20;

const args = process.argv.slice(2);
const ownArgs = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
const diagnoseOptions = args.slice(ownArgs.length + 1);
const { values: options, positionals } = parseArgs({
  args: ownArgs,
  options: { case: { type: "string", multiple: true } },
  allowPositionals: true,
});

const folder = resolve(positionals[0] ?? join(root, "test/fixtures"));
const cases = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, "reference.json")))
  .filter((name) => options.case === undefined || options.case.includes(name))
  .sort();
if (cases.length === 0) fail(`${folder}: no case with a reference.json`);
if (!existsSync(cli)) fail(`${cli}: not built; run npm run build`);

const all = [];
const failed = cases.filter((name) => !compareCase(join(folder, name), name));
printLargestOfEachKind();
if (failed.length > 0)
  fail(`${failed.length} of ${cases.length} cases failed: ${failed.join(", ")}`);
console.log(`${cases.length} cases agree with PyTorch.`);

function compareCase(path, name) {
  const run = diagnose(path);
  if (run.status !== 0) {
    const reason = run.error?.message ?? run.stderr.trim();
    console.log(`✗ ${name}: exit code ${run.status}: ${reason}`);
    return false;
  }
  const reference = JSON.parse(readFileSync(join(path, "reference.json"), "utf8"));
  const comparisons = compareWithReference(JSON.parse(run.stdout), reference);
  all.push(...comparisons.map((comparison) => ({ ...comparison, case: name })));
  const failures = comparisons.filter(({ ok }) => !ok);
  console.log(
    failures.length === 0
      ? `✓ ${name}: ${comparisons.length} figures`
      : `✗ ${name}: ${failures.length} of ${comparisons.length} figures`,
  );
  for (const failure of failures.slice(0, shownFailures)) console.log(`    ${describe(failure)}`);
  return failures.length === 0;
}

function diagnose(path) {
  const images = join(path, "images.safetensors");
  const evaluated = existsSync(images)
    ? ["--images", images]
    : ["--tokens", join(path, "tokens.json")];
  const command = [cli, "diagnose", path, ...evaluated];
  command.push("--metrics", "variance,jacobian,pruning,sublayers", "--probes", "512");
  command.push("--device", "cpu", "--json", "-", ...diagnoseOptions);
  return spawnSync(process.execPath, command, { encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Of every kind of figure, the one nearest to its limit or furthest beyond it. */
function printLargestOfEachKind() {
  const worst = new Map();
  for (const figure of all) {
    const kind = figure.name.replace(/^layers\[\d+\]\./, "");
    const previous = worst.get(kind);
    if (previous === undefined || shareOfLimit(figure) > shareOfLimit(previous)) {
      worst.set(kind, figure);
    }
  }
  console.log("\nLargest deviation of each kind, as a share of what is allowed:");
  for (const figure of worst.values()) {
    const share = `${(100 * shareOfLimit(figure)).toFixed(1)}%`;
    console.log(`${share.padStart(8)}  ${figure.case.padEnd(24)} ${describe(figure)}`);
  }
}

function shareOfLimit({ deviation, limit }) {
  if (Number.isNaN(deviation)) return Infinity;
  return deviation === 0 ? 0 : deviation / limit;
}

function describe({ name, expected, actual, deviation, limit }) {
  const [e, a] = [expected, actual].map((value) => value.toPrecision(7));
  const [d, l] = [deviation, limit].map((value) => value.toExponential(1));
  return `${name.padEnd(44)} expected ${e}, got ${a}: off by ${d}, allowed ${l}`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
