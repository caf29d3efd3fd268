/**
 * Diagnoses every case of a fixtures folder with the built CLI and compares with its reference.
 *
 *     node test/oracle/compare.mjs [folder] [--case NAME]… [-- further diagnose options]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compareWithReference } from "./tolerances.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const cli = join(root, "dist/cli.js");
const shownPerCase = 5;

const { values: options, positionals } = parseArgs({
  args: process.argv.slice(2).filter((_, i, all) => !all.slice(0, i + 1).includes("--")),
  options: { case: { type: "string", multiple: true } },
  allowPositionals: true,
});
const separator = process.argv.indexOf("--");
const furtherOptions = separator < 0 ? [] : process.argv.slice(separator + 1);

const folder = resolve(positionals[0] ?? join(root, "test/fixtures"));
const cases = readdirSync(folder)
  .filter((name) => existsSync(join(folder, name, "reference.json")))
  .filter((name) => options.case === undefined || options.case.includes(name))
  .sort();
if (cases.length === 0) fail(`${folder}: no case with a reference.json`);
if (!existsSync(cli)) fail(`${cli}: not built; run npm run build`);

const failed = cases.filter((name) => !compareCase(join(folder, name), name));
if (failed.length > 0) fail(`${failed.length} of ${cases.length} cases failed: ${failed}`);
console.log(`${cases.length} cases agree with PyTorch.`);

function compareCase(path, name) {
  const run = diagnose(path);
  if (run.status !== 0) {
    console.log(`FAIL ${name}: exit code ${run.status}: ${run.stderr.trim() || run.error}`);
    return false;
  }
  const reference = JSON.parse(readFileSync(join(path, "reference.json"), "utf8"));
  const comparisons = compareWithReference(JSON.parse(run.stdout), reference);
  const bad = comparisons.filter(({ ok }) => !ok);
  console.log(`${bad.length === 0 ? "ok  " : "FAIL"} ${name}: ${comparisons.length} figures`);
  printLargest(comparisons, Math.max(shownPerCase, Math.min(bad.length, 30)));
  return bad.length === 0;
}

function diagnose(path) {
  const args = [cli, "diagnose", path, "--tokens", join(path, "tokens.json")];
  args.push("--metrics", "variance,jacobian,pruning,sublayers", "--probes", "512");
  args.push("--device", "cpu", "--json", "-", ...furtherOptions);
  return spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 26 });
}

/** The figures nearest to their limit, or furthest beyond it. */
function printLargest(comparisons, count) {
  const share = ({ deviation, limit }) => (deviation === 0 ? 0 : deviation / limit);
  const order = ({ ok, ...figure }) => (ok ? share(figure) : share(figure) || Infinity);
  const largest = comparisons.toSorted((a, b) => order(b) - order(a)).slice(0, count);
  for (const { name, expected, actual, deviation, limit, ok } of largest) {
    const [e, a, d, l] = [expected, actual, deviation, limit].map((value) => value.toPrecision(4));
    console.log(`  ${ok ? " " : "✗"} ${name.padEnd(52)} ${e} → ${a}  off by ${d} of ${l}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
