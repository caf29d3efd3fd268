/**
 * Has the built CLI tell how checkpoints are read, from text that they were not trained on, and
 * compares that with what their code computes; a model that is trained too little to tell must be refused.
 *
 *     node test/oracle/readings.mjs <folder that handwritten.py wrote>
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const cli = join(dirname(fileURLToPath(import.meta.url)), "../../dist/cli.js");
const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node readings.mjs <folder>");

const truths = JSON.parse(readFileSync(join(folder, "truth.json"), "utf8"));
let failures = 0;
for (const [name, truth] of Object.entries(truths)) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      ...[cli, "diagnose", join(folder, `${name}.pt`), "--text", join(folder, "held-out.txt")],
      ...["--sequence-length", "64", "--metrics", "variance", "--json", "-"],
    ],
    { encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  const wrong =
    truth.refused !== undefined
      ? notRefused(status, stderr, truth.refused)
      : status === 0
        ? differences(JSON.parse(stdout), truth)
        : [stderr.trim()];
  if (wrong.length > 0) failures++;
  console.log(wrong.length > 0 ? `FAIL ${name}: ${wrong.join("; ")}` : `ok   ${name}`);
}
if (failures > 0) process.exitCode = 1;

function differences({ architecture: { reading } }, truth) {
  const [taken] = reading.candidates ?? [{ settings: {} }];
  const settled = (reading.settled ?? []).map(({ name, value }) => [name, value]);
  const found = { ...taken.settings, ...Object.fromEntries(settled) };
  return Object.entries(truth)
    .filter(([name, value]) => found[name] !== value)
    .map(([name, value]) => `${name} is ${value}, read as ${found[name] ?? "nothing"}`);
}

function notRefused(status, message, words) {
  if (status === 0) return ["it is read, and was to be refused"];
  return message.includes(words) ? [] : [`refused in other words: ${message.trim()}`];
}
