/**
 * `npm run fuzz -- [--runs 1000000] [--format GGUF] [--seed 1] [--jobs 2] [--fresh]`: gives every reader,
 * or one, mutated files until all together have had so many, and prints a line of totals for each. What
 * has been done is kept in out/fuzz/counts.json, from which the same command goes on after an
 * interruption; a round that failed is run again first. It begins anew where the readers or the files
 * have changed since.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { readCounts } from "./shared/fuzzCounts.mjs";
import { Stop, root, runMain, runQuietly } from "./shared/process.mjs";

const out = path.join(root, "out", "fuzz");
const program = path.join(out, "run.mjs");
const countsFile = path.join(out, "counts.json");
/** A process that says nothing for so long hangs; a round takes seconds. */
const silence = 300_000;
/** No reader needs more of these small files: beyond it the process ends. */
const heapMegabytes = 512;
const nothing = { rounds: 0, read: 0, refused: 0, mostBytes: 0, mostSizes: 0, slowest: 0 };

await runMain(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      runs: { type: "string", default: "100000" },
      format: { type: "string" },
      seed: { type: "string", default: "1" },
      jobs: { type: "string", default: "1" },
      fresh: { type: "boolean", default: false },
    },
  });
  mkdirSync(out, { recursive: true });
  await bundle();
  const listed = await runQuietly("Listing the formats", process.execPath, [program]);
  const { formats: all, filesOfRound, corpus } = JSON.parse(listed);
  const formats = values.format === undefined ? all : [values.format];
  if (!all.includes(formats[0])) throw new Stop(`--format is one of: ${all.join(", ")}`);
  if (values.fresh) rmSync(countsFile, { force: true });
  const counts = readCounts(countsFile, values.seed, fuzzedHash(corpus));
  const rounds = Math.ceil(Number(values.runs) / formats.length / filesOfRound);
  const failures = [];
  const queue = [...formats];
  const work = async () => {
    for (let format = queue.shift(); format !== undefined; format = queue.shift()) {
      const count = (counts.formats[format] ??= { ...nothing });
      const failure = await fuzzFormat(format, rounds - count.rounds, count, counts);
      if (failure !== undefined) failures.push(failure);
      print(format, count);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  const read = formats.map((format) => counts.formats[format]);
  const sum = (key) => read.reduce((total, count) => total + count[key], 0);
  console.log(
    `All: ${sum("read") + sum("refused")} files, ${sum("read")} read, ${sum("refused")} refused`,
  );
  for (const failure of failures) console.error(failure);
  return failures.length === 0 ? 0 : 1;
});

/** What is fuzzed: the readers and how files are spoilt, which the program holds, and the files. */
function fuzzedHash(corpus) {
  return createHash("sha256").update(readFileSync(program)).update(corpus).digest("hex");
}

/** Runs a format's rounds; after each, its counts are kept. @returns what went wrong, if anything did */
function fuzzFormat(format, rounds, count, counts) {
  if (rounds <= 0) return undefined;
  const folder = path.join(out, format.replace(/\W+/g, "-"));
  return new Promise((resolve) => {
    const first = count.rounds;
    const child = spawn(
      process.execPath,
      [
        `--max-old-space-size=${heapMegabytes}`,
        program,
        ...[format, rounds, first, counts.seed, folder].map(String),
      ],
      { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
    );
    let isHung = false;
    let timer;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        isHung = true;
        child.kill("SIGKILL");
      }, silence);
    };
    wait();
    let errors = "";
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      wait();
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) add(count, JSON.parse(line));
      writeFileSync(`${countsFile}.part`, JSON.stringify(counts, undefined, 2));
      renameSync(`${countsFile}.part`, countsFile);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) return resolve(undefined);
      const what = isHung ? `said nothing for ${silence / 1000} s` : errors.trim().slice(0, 4000);
      resolve(`${format}, round ${count.rounds}: its last file is in ${folder}\n${what}`);
    });
  });
}

function add(count, outcome) {
  count.rounds++;
  count.read += outcome.read;
  count.refused += outcome.refused;
  for (const key of ["mostBytes", "mostSizes", "slowest"]) {
    count[key] = Math.max(count[key], outcome[key]);
  }
}

function print(format, { read, refused, mostBytes, mostSizes, slowest }) {
  console.log(
    `${format}: ${read + refused} files, ${read} read, ${refused} refused; at most ${(mostBytes / 1e6).toFixed(2)} MB, ${mostSizes.toFixed(1)} sizes beyond what is spare, ${Math.round(slowest)} ms`,
  );
}

/** One file for Node, in which each of the tests' files still knows its own place. */
async function bundle() {
  await build({
    entryPoints: [path.join(root, "test/fuzz/run.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
    plugins: [
      {
        name: "own places",
        setup: ({ onLoad }) => {
          onLoad({ filter: /[\\/]test[\\/].*\.ts$/ }, ({ path: file }) => ({
            contents: readFileSync(file, "utf8").replaceAll(
              "import.meta.url",
              JSON.stringify(pathToFileURL(file).href),
            ),
            loader: "ts",
          }));
        },
      },
    ],
  });
}
