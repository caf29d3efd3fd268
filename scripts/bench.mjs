/**
 * `npm run bench`: speed and size as ratios within one run. A stack of Mistral-7B-shaped layers with
 * random bf16 weights is diagnosed and compared with the machine's plain MatMul rate, measured before
 * and after; before it, the opening of checkpoints of many tensors; then the sample, and the time the
 * extension's bundle takes to load.
 *
 *     npm run bench -- [--layers 8] [--tokens 2048]
 */
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { root } from "./shared/process.mjs";

const { values } = parseArgs({
  options: {
    layers: { type: "string", default: "8" },
    tokens: { type: "string", default: "2048" },
  },
});
const layers = Number(values.layers);
const tokens = Number(values.tokens);
const sequence = 256;
const probes = 2;
const shape = { hidden: 4096, inner: 14336, heads: 32, keyValueHeads: 8, vocabulary: 32000 };

await build({
  entryPoints: ["matmul", "activations", "directory"].map((name) =>
    join(root, `scripts/bench/${name}.ts`),
  ),
  outdir: join(root, "out/bench"),
  bundle: true,
  platform: "node",
  external: ["onnxruntime-node"],
  logLevel: "error",
});
benchDirectories();
benchStack();
benchSample();
benchBundle();

function benchStack() {
  const folder = mkdtempSync(join(tmpdir(), "fathom-bench-"));
  try {
    writeCheckpoint(folder);
    const before = matmulRate();
    const report = diagnose(folder, [
      "--tokens",
      join(folder, "tokens.json"),
      "--probes",
      String(probes),
      "--device",
      "cpu",
    ]);
    const rate = (before + matmulRate()) / 2;
    const { seconds, peakMemoryBytes } = report.runtime;
    const achieved = operations() / seconds;
    const layerBytes = layerParameters() * 4;
    const streams = (layers + 4) * tokens * shape.hidden * 4;
    const activations = streams + measure("activations", folder, sequence, probes);
    console.log(`Mistral-7B-shaped stack: ${layers} layers, ${tokens} tokens, ${probes} probes`);
    console.log(`  plain MatMul            ${gflops(rate)} (mean of before and after)`);
    console.log(`  whole sweep, loading in ${gflops(achieved)} over ${seconds.toFixed(1)} s`);
    console.log(`  ratio                   ${(achieved / rate).toFixed(2)} (wanted: 0.85 or more)`);
    console.log(
      `  peak memory             ${gigabytes(peakMemoryBytes)}, of which ${gigabytes(activations)} activations`,
    );
    console.log(
      `  the rest                ${((peakMemoryBytes - activations) / layerBytes).toFixed(2)} layers of ${gigabytes(layerBytes)} in float32 (wanted: below 2)`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Cold: each in processes of their own, the quickest of five beside the start of an empty one. */
function benchDirectories() {
  const folder = mkdtempSync(join(tmpdir(), "fathom-bench-"));
  const quickest = (time) => Math.min(...Array.from({ length: 5 }, time));
  try {
    spawnSync(process.execPath, [join(root, "out/bench/directory.js"), "write", folder]);
    const empty = quickest(() => {
      const start = performance.now();
      spawnSync(process.execPath, ["-e", ""]);
      return performance.now() - start;
    });
    for (const [name, file] of [
      ["1,000 tensors in a .pt", "model.pt"],
      ["1,000 tensors in 100 shards", "model.safetensors.index.json"],
    ]) {
      const time = quickest(() => measure("directory", join(folder, file)));
      console.log(
        `Directory of ${name}: ${time.toFixed(0)} ms (wanted: below 100), ${(time / empty).toFixed(1)} starts of an empty process`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function benchSample() {
  const runs = join(root, "media/sample/pre-ln");
  const steps = readdirSync(runs).filter((name) => name.startsWith("step-"));
  const last = steps.sort((a, b) => Number(a.slice(5)) - Number(b.slice(5))).at(-1);
  const report = diagnose(join(runs, last), ["--text", join(root, "media/sample/held-out.txt")]);
  const { seconds, peakMemoryBytes } = report.runtime;
  console.log(`Sample (${last}): ${seconds.toFixed(1)} s, ${gigabytes(peakMemoryBytes)}`);
}

/** Evaluating the bundle, with an editor of nothing; the editor tests measure what activation takes. */
function benchBundle() {
  const require = createRequire(import.meta.url);
  const Module = require("node:module");
  const load = Module._load;
  Module._load = (name, ...rest) => (name === "vscode" ? {} : load(name, ...rest));
  const start = performance.now();
  require(join(root, "dist/extension.js"));
  console.log(`The extension's bundle: ${(performance.now() - start).toFixed(1)} ms to load`);
  Module._load = load;
}

function diagnose(checkpoint, options) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, "dist/cli.js"), "diagnose", checkpoint, ...options, "--json", "-"],
    { encoding: "utf8", maxBuffer: 2 ** 28 },
  );
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function matmulRate() {
  return measure("matmul");
}

/** The number that one of the measuring programs prints. */
function measure(program, ...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, `out/bench/${program}.js`), ...args.map(String)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

function layerParameters() {
  const { hidden, inner, heads, keyValueHeads } = shape;
  return hidden * hidden * (2 + (2 * keyValueHeads) / heads) + 3 * hidden * inner;
}

/** Operations of the matrix products that the definitions ask for; nothing that is recomputed counts. */
function operations() {
  const linear = 2 * layerParameters();
  const attention = 4 * sequence * shape.hidden;
  const plain = layers + (layers * (layers - 1)) / 2;
  const tangents = probes * layers;
  const head = 2 * shape.vocabulary * shape.hidden * (layers + 1);
  return tokens * (plain * (linear + attention) + tangents * (linear + 2 * attention) + head);
}

function writeCheckpoint(folder) {
  const { hidden, inner, heads, keyValueHeads, vocabulary } = shape;
  const keys = (hidden * keyValueHeads) / heads;
  const tensors = [
    ["model.embed_tokens.weight", [vocabulary, hidden]],
    ...Array.from({ length: layers }, (_, index) => {
      const layer = `model.layers.${index}`;
      return [
        [`${layer}.self_attn.q_proj.weight`, [hidden, hidden]],
        [`${layer}.self_attn.k_proj.weight`, [keys, hidden]],
        [`${layer}.self_attn.v_proj.weight`, [keys, hidden]],
        [`${layer}.self_attn.o_proj.weight`, [hidden, hidden]],
        [`${layer}.mlp.gate_proj.weight`, [inner, hidden]],
        [`${layer}.mlp.up_proj.weight`, [inner, hidden]],
        [`${layer}.mlp.down_proj.weight`, [hidden, inner]],
        [`${layer}.input_layernorm.weight`, [hidden]],
        [`${layer}.post_attention_layernorm.weight`, [hidden]],
      ];
    }).flat(),
    ["model.norm.weight", [hidden]],
    ["lm_head.weight", [vocabulary, hidden]],
  ];
  let offset = 0;
  const header = {};
  for (const [name, size] of tensors) {
    const bytes = size.reduce((a, b) => a * b, 2);
    header[name] = { dtype: "BF16", shape: size, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(join(folder, "model.safetensors"), "w");
  writeSync(file, length);
  writeSync(file, json);
  const noise = randomBf16(2 ** 23);
  for (let left = offset; left > 0; left -= noise.length) {
    writeSync(file, noise, 0, Math.min(noise.length, left));
  }
  closeSync(file);
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({
      model_type: "mistral",
      vocab_size: vocabulary,
      hidden_size: hidden,
      intermediate_size: inner,
      num_hidden_layers: layers,
      num_attention_heads: heads,
      num_key_value_heads: keyValueHeads,
      max_position_embeddings: 32768,
      rms_norm_eps: 1e-5,
      sliding_window: 4096,
    }),
  );
  const documents = Array.from({ length: Math.round(tokens / sequence) }, (_, document) =>
    Array.from({ length: sequence }, (_, at) => (at * 7919 + document * 104729) % vocabulary),
  );
  writeFileSync(join(folder, "tokens.json"), JSON.stringify(documents));
}

/** Numbers of about ±0.01 … ±0.04 in bfloat16: sign and mantissa vary, the exponent hardly. */
function randomBf16(bytes) {
  const values = Buffer.alloc(bytes);
  let state = 0x2545f491;
  for (let at = 0; at < bytes; at += 2) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values.writeUInt16LE(0x3c00 | (state & 0x80ff), at);
  }
  return values;
}

function gflops(rate) {
  return `${(rate / 1e9).toFixed(0)} GFLOP/s`;
}

function gigabytes(bytes) {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
