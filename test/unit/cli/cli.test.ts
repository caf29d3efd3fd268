import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Ajv from "ajv/dist/2020.js";
import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { compareWithReference } from "../../oracle/tolerances.mjs";
import {
  copyFixture,
  editConfig,
  editWeights,
  fixture,
  readJson,
  referenceOf,
} from "../support/checkpoints";
import type { CliOutcome } from "../support/cli";
import { cliPath, ensureBuilt, runCli, startCli } from "../support/cli";
import { setFloat } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const media = fileURLToPath(new URL("../../../media/", import.meta.url));
const schema = readJson(join(media, "report.schema.json")) as object;
const validate = new Ajv({ strict: true, allErrors: true }).compile(schema);

beforeAll(ensureBuilt);

/** A diagnosis of a folder that holds its own tokens.json, on the CPU unless `more` says otherwise. */
function diagnose(folder: string, ...more: string[]): Promise<CliOutcome> {
  const tokens = ["--tokens", join(folder, "tokens.json")];
  return runCli(["diagnose", folder, ...tokens, "--device", "cpu", ...more]);
}

/** Expects one line on standard error, nothing on standard output, and the exit code. */
function expectRefusal(
  { code, stdout, stderr }: CliOutcome,
  expected: number,
  words: string[],
): void {
  expect(stderr).toMatch(/^fathom: [^\n]+\n$/);
  for (const word of words) expect(stderr).toContain(word);
  expect(stdout).toBe("");
  expect(code).toBe(expected);
}

describe("a diagnosis", () => {
  it.each(["llama", "mistral", "qwen2", "qwen3", "deepseek-llm", "llama-lns"])(
    "of %s writes a report that its schema describes and PyTorch confirms",
    async (name) => {
      const { code, stdout, stderr } = await diagnose(
        fixture(name),
        ...["--metrics", "variance,jacobian,pruning,sublayers", "--json", "-"],
      );
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const report = JSON.parse(stdout) as Report;
      validate(report);
      expect(validate.errors).toBeNull();
      const exact = ["variance", "pruning", "sublayers"] as const;
      const comparisons = compareWithReference(report, referenceOf(name), exact);
      expect(comparisons.filter(({ ok }) => !ok)).toEqual([]);
      expect(report.runtime.device).toBe("cpu");
      expect(report.runtime.seconds).toBeGreaterThan(0);
      expect(report.runtime.peakMemoryBytes).toBeGreaterThan(10 * 2 ** 20);
      expect(report.checkpoint.path).toBe(fixture(name));
      expect(report.findings.map(({ kind }) => kind)).toEqual([
        // The fixtures' weights are random.
        "chance",
        "growth",
        "identity",
        "removal",
      ]);
    },
  );

  it("of a folder that is named relatively writes each file that is asked for, and the table", async () => {
    const folder = copyFixture("llama", scratch());
    const files = ["--json", "out.json", "--csv", "out.csv", "--html", "out.html"];
    const args = ["diagnose", ".", "--tokens", "tokens.json", "--device", "cpu", ...files];
    const { code, stdout, stderr } = await runCli(args, { cwd: folder });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toContain("LLaMA, Pre-LN (the default of the family");
    expect(stdout).not.toContain("\u001b");

    const report = readJson(join(folder, "out.json")) as Report;
    expect(validate(report)).toBe(true);

    const rows = readFileSync(join(folder, "out.csv"), "utf8").trimEnd().split(/\r?\n/);
    expect(rows).toHaveLength(1 + report.layers.length);
    for (const [index, row] of rows.slice(1).entries()) {
      expect(row.startsWith(`${index},model.layers.${index},`)).toBe(true);
    }

    const html = readFileSync(join(folder, "out.html"), "utf8");
    expect(html).toMatch(/http-equiv="Content-Security-Policy"\s+content="default-src 'none';/);
    expect(html).not.toMatch(/\s(?:src|href|action)\s*=\s*["']?(?!data:)/i);
    expect(html).not.toMatch(/@import|url\(\s*["']?(?:https?:)?\/\//i);
    expect(html).toContain("model.layers.3");
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it.each([
    ["--csv", /^index,path,/],
    ["--html", /^<!doctype html>/i],
    ["--json", /^\{/],
  ])("writes %s - and nothing else to standard output", async (option, start) => {
    const folder = fixture("llama-one-document");
    const { code, stdout, stderr } = await diagnose(folder, "--metrics", "variance", option, "-");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(start);
  });

  it("with the same seed finds the same figures, with another seed another Jacobian", async () => {
    const run = async (seed: string): Promise<Report["layers"]> => {
      const folder = fixture("llama-one-document");
      const { stdout } = await diagnose(folder, "--seed", seed, "--json", "-");
      return (JSON.parse(stdout) as Report).layers;
    };
    const [first, again, other] = await Promise.all([run("1"), run("1"), run("2")]);
    expect(again).toEqual(first);
    expect(other[0]!.jacobian).not.toEqual(first[0]!.jacobian);
    expect(other[0]!.pruning).toEqual(first[0]!.pruning);
  });

  it("takes its options", async () => {
    const { code, stdout, stderr } = await diagnose(
      fixture("llama"),
      ...["--scheme", "lns", "--sequence-length", "9", "--max-tokens", "18", "--probes", "3"],
      ...["--seed", "7", "--threads", "1", "--memory", "0.001", "--metrics", "jacobian,sublayers"],
      ...["--json", "-"],
    );
    expect(code).toBe(0);
    // The engine by itself takes more than this budget, which it says and which is no failure.
    expect(stderr).toMatch(
      /memory budget is 1\.02 MiB, but the engine by itself takes about \d+ MiB/,
    );
    const report = JSON.parse(stdout) as Report;
    expect(validate(report)).toBe(true);
    expect(report.architecture).toMatchObject({ normScheme: "lns", normSchemeSource: "as asked" });
    expect(report.evaluation).toMatchObject({
      documents: 2,
      tokens: 18,
      sequenceLength: 9,
      probes: 3,
      seed: 7,
      source: join(fixture("llama"), "tokens.json"),
    });
    expect(report.runtime.threads).toBe(1);
    // Removing sublayers without removing layers would say little, so it is measured too.
    expect(report.evaluation.metrics.toSorted()).toEqual(["jacobian", "pruning", "sublayers"]);
    expect(report.layers[0]!.pruning!.attention).toBeDefined();
    expect(report.layers[0]!.outputVariance).toBeUndefined();
  });

  it("of a budget that not one layer fits in is refused in one line", async () => {
    const { code, stdout, stderr } = await diagnose(fixture("llama"), "--memory", "0.00001");
    expect(stderr).toMatch(/^fathom: [^\n]+ the memory budget is 0\.0102 MiB[^\n]+\n$/);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
  });

  it("of images speaks of images and their classes", async () => {
    const folder = fixture("vit");
    const images = ["--images", join(folder, "images.safetensors")];
    const common = ["diagnose", folder, ...images, "--device", "cpu", "--metrics", "pruning"];
    const { code, stdout, stderr } = await runCli(common);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const text = stdout.replaceAll("\n", " ");
    expect(text).toContain("Measured on 6 images of ");
    expect(text).toContain("nats per image");
    expect(text).toContain("± is a 95% interval over images.");
    expect(text).toContain("nats an image, where guessing among all 7 classes alike costs 1.95");
    expect(text).not.toMatch(/token|document/);
    const { evaluation } = JSON.parse((await runCli([...common, "--json", "-"])).stdout) as Report;
    expect(evaluation).toMatchObject({ input: "images", documents: 6 });
  });

  it("tells a notice once where both outputs are read in one place, and in each where not", async () => {
    const folder = fixture("llama-one-document");
    const args = ["diagnose", folder, "--tokens", join(folder, "tokens.json"), "--device", "cpu"];
    // This many threads no machine has, which is told.
    const many = [...args, "--metrics", "variance", "--threads", "4096"];
    const apart = await runCli(many);
    expect(apart.stderr).toContain("threads are used");
    expect(apart.stdout).toContain("threads are used");
    const file = join(scratch(), "both.txt");
    const both = openSync(file, "w");
    const { status } = spawnSync(process.execPath, [cliPath, ...many], {
      stdio: ["ignore", both, both],
    });
    closeSync(both);
    expect(status).toBe(0);
    expect(readFileSync(file, "utf8").match(/threads are used/g)).toHaveLength(1);
  });

  it("evaluates text files one document each, and a default text where none is given", async () => {
    const sample = sampleCheckpoint();
    const folder = scratch();
    const texts = ["one", "two"].map((name) => {
      const file = join(folder, `${name}.txt`);
      writeFileSync(file, `${name} of the files that a person would measure on.\n`.repeat(3));
      return file;
    });
    const common = ["diagnose", sample, "--device", "cpu", "--metrics", "variance", "--json", "-"];
    const own = await runCli([...common, "--text", texts[0]!, "--text", texts[1]!]);
    expect(own.code).toBe(0);
    expect((JSON.parse(own.stdout) as Report).evaluation).toMatchObject({
      source: texts.join(", "),
      documents: 2,
    });
    const shipped = await runCli([...common, "--max-tokens", "512"]);
    const { evaluation } = JSON.parse(shipped.stdout) as Report;
    expect(evaluation.source).toBe("default text");
    expect(evaluation.tokens).toBeLessThanOrEqual(512);
    expect(evaluation.tokens).toBeGreaterThan(256);
  });

  it("of weights that are not finite ends with a report, names them and marks the layers", async () => {
    const folder = copyFixture("llama", scratch());
    const name = "model.layers.1.self_attn.v_proj.weight";
    editWeights(folder, (tensors) => {
      setFloat(tensors.get(name)!, 5, NaN);
    });
    const { code, stdout, stderr } = await diagnose(folder, "--json", "-");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^fathom: [^\n]+\n$/);
    expect(stderr).toContain(`${name} holds NaN or infinite weights`);
    const report = JSON.parse(stdout) as Report;
    expect(validate(report)).toBe(true);
    expect(report.layers[0]!.outputVariance).toBeDefined();
    expect(report.layers[1]!.unmeasured).toHaveLength(3);
    expect(report.findings.filter(({ kind }) => kind === "notice")).toHaveLength(1);
  });
});

describe("usage errors end with 2 and one line", () => {
  it("that say where the right options are listed", async () => {
    const hint = "fathom diagnose --help lists what it takes.";
    expectRefusal(await runCli(["diagnose", "x", "--seqence-length", "3"]), 2, [
      "Did you mean --sequence-length?). ",
      hint,
    ]);
    expectRefusal(await runCli(["diagnose", "x", "--memory", "-1"]), 2, ["above 0. ", hint]);
    const both = ["--tokens", "t.json", "--text", "t.txt"];
    expectRefusal(await runCli(["diagnose", "x", ...both]), 2, [hint]);
    expectRefusal(await runCli(["measure"]), 2, ["fathom --help lists the commands."]);
    const folder = fixture("llama");
    expectRefusal(await runCli([folder]), 2, [
      `To measure a checkpoint: fathom diagnose ${folder}`,
    ]);
  });

  it.each<[string, string[], string[]]>([
    ["no checkpoint", ["diagnose"], ["missing required argument 'checkpoint'"]],
    ["two checkpoints", ["diagnose", "a", "b"], ["too many arguments"]],
    ["an unknown command", ["measure"], ["unknown command 'measure'"]],
    ["an unknown option", ["diagnose", "x", "--depth", "3"], ["unknown option '--depth'"]],
    ["no probes", ["diagnose", "x", "--probes", "0"], ["--probes", "'0'", "at least 1"]],
    ["half a probe", ["diagnose", "x", "--probes", "1.5"], ["--probes", "'1.5'", "whole number"]],
    ["a short sequence", ["diagnose", "x", "--sequence-length", "1"], ["at least 2"]],
    ["a budget of nothing", ["diagnose", "x", "--max-tokens", "0"], ["at least 2"]],
    ["a negative seed", ["diagnose", "x", "--seed", "-1"], ["--seed", "'-1'"]],
    ["a huge seed", ["diagnose", "x", "--seed", "9007199254740993"], ["--seed"]],
    ["no threads", ["diagnose", "x", "--threads", "0"], ["--threads", "at least 1"]],
    ["no memory", ["diagnose", "x", "--memory", "0"], ["--memory", "above 0"]],
    ["memory in words", ["diagnose", "x", "--memory", "much"], ["--memory", "'much'"]],
    ["an unknown metric", ["diagnose", "x", "--metrics", "variance,depth"], ['"depth" is not one']],
    ["no metric", ["diagnose", "x", "--metrics", ""], ['"" is not one of variance']],
    ["an unknown scheme", ["diagnose", "x", "--scheme", "keel"], ["'keel'", "pre-ln, lns"]],
    ["an unknown device", ["diagnose", "x", "--device", "tpu"], ["'tpu'", "auto, cpu, webgpu"]],
    [
      "a report of no name",
      ["diagnose", "x", "--json="],
      ["--json", "Expected the name of a file"],
    ],
    [
      "a text of no name",
      ["diagnose", "x", "--text", ""],
      ["--text", "Expected the name of a file"],
    ],
    ["an option without its value", ["diagnose", "x", "--tokens"], ["argument missing"]],
    [
      "text and tokens together",
      ["diagnose", "x", "--tokens", "t.json", "--text", "t.txt"],
      ["--text and --tokens exclude each other"],
    ],
    [
      "two reports on one standard output",
      ["diagnose", "x", "--json", "-", "--csv", "-"],
      ['Two of --json, --csv and --html would write to "-"'],
    ],
  ])("%s", async (_, args, words) => {
    expectRefusal(await runCli(args), 2, words);
  });

  it("and so do texts and tokens that cannot be evaluated", async () => {
    const folder = copyFixture("llama", scratch());
    const withTokens = async (content: string, ...words: string[]): Promise<void> => {
      writeFileSync(join(folder, "tokens.json"), content);
      const file = join(folder, "tokens.json");
      expectRefusal(await diagnose(folder, "--json", "-"), 2, [`${file}: `, ...words]);
    };
    await withTokens("[[1, 72]]", "document 0 holds 72 at position 1; expected a token id from 0");
    await withTokens("[1]", "expected an array of arrays of token ids");
    await withTokens(JSON.stringify([Array(129).fill(1)]), "document 0 has 129 tokens", "128");

    const long = await diagnose(fixture("llama"), "--sequence-length", "129");
    expectRefusal(long, 2, ["Sequence length 129 is longer than the context", "at most 128"]);
    const bare = await runCli(["diagnose", fixture("llama"), "--device", "cpu"]);
    expectRefusal(bare, 2, ["holds no tokenizer", "give token ids as a JSON file"]);
    const empty = join(folder, "empty.txt");
    writeFileSync(empty, "\n");
    const nothing = await runCli(["diagnose", sampleCheckpoint(), "--text", empty]);
    expectRefusal(nothing, 2, [`${empty}: holds no text`]);
  });

  it("and no command at all shows what there is", async () => {
    const { code, stderr } = await runCli([]);
    expect(code).toBe(2);
    expect(stderr).toContain("diagnose");
    expect(stderr).not.toContain("outputHelp");
    const help = await runCli(["diagnose", "--help"]);
    expect(help.code).toBe(0);
    for (const option of ["--text", "--tokens", "--metrics", "--html"]) {
      expect(help.stdout).toContain(option);
    }
    const { version } = readJson(join(media, "../package.json")) as { version: string };
    expect(await runCli(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe("checkpoints that cannot be read end with 3 and one line", () => {
  const spoilt = async (spoil: (folder: string) => void, ...words: string[]): Promise<void> => {
    const folder = copyFixture("llama", scratch());
    spoil(folder);
    expectRefusal(await diagnose(folder, "--json", "-"), 3, [folder, ...words]);
  };

  it("when there is nothing", async () => {
    const path = join(scratch(), "gone");
    expectRefusal(await runCli(["diagnose", path]), 3, [path, "does not exist"]);
  });

  it("when the file is truncated", async () => {
    await spoilt(
      (folder) => {
        truncateSync(join(folder, "model.safetensors"), 60_000);
      },
      'tensor "',
      "lie outside",
    );
  });

  it("when the config contradicts the tensors", async () => {
    await spoilt((folder) => {
      editConfig(folder, { hidden_size: 32 });
    }, "shape is [72, 24]; expected [72, 32]");
  });

  it("when the architecture is not supported, and says what shows it", async () => {
    await spoilt(
      (folder) => {
        editConfig(folder, { model_type: "mamba", clip_qkv: 8 });
      },
      '"model_type" is "mamba", which is not supported',
      '"clip_qkv" is 8, which changes what the model computes',
    );
  });
});

describe("a report that cannot be written", () => {
  it("for want of a folder ends with 4 and its name, before anything is measured", async () => {
    const json = join(scratch(), "no such folder/report.json");
    const { code, stdout, stderr } = await diagnose(fixture("llama-one-document"), "--json", json);
    expect(code).toBe(4);
    expect(stderr).toBe(`fathom: ${json} could not be written: its folder does not exist.\n`);
    expect(stdout).toBe("");
  });

  it.runIf(existsSync("/proc/self"))(
    "in a place that takes no files, whatever its permissions say, ends with 4 before the run",
    async () => {
      const args = ["--metrics", "variance", "--csv", "/proc/report.csv"];
      const { code, stdout, stderr } = await diagnose(fixture("llama-one-document"), ...args);
      expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
      expect(stderr).toMatch(/^fathom: \/proc\/report\.csv could not be written: [^\n]+\n$/);
    },
  );

  it("for want of space says so", async () => {
    const csv = join(scratch(), "report.csv");
    // A folder in the way stands for a full disk where there is no device that is always full.
    const isFull = existsSync("/dev/full");
    const json = isFull ? "/dev/full" : scratch();
    const { code, stdout, stderr } = await diagnose(
      fixture("llama-one-document"),
      ...["--metrics", "variance", "--json", json, "--csv", csv],
    );
    expect(code).toBe(4);
    expect(stderr).toContain(`fathom: ${json} could not be written: `);
    if (!isFull) return;
    expect(stderr).toContain("no space left");
    // It keeps no other from being written.
    expect(readFileSync(csv, "utf8")).toContain("model.layers.1");
    expect(stdout).toContain("LLaMA, Pre-LN (the default of the family");
  });
});

describe("a reader of standard output that has gone", () => {
  it.each([[["--json", "-"]], [[]]])("is no failure, with %j", async (output) => {
    const folder = fixture("llama-one-document");
    const csv = join(scratch(), "report.csv");
    const tokens = ["--tokens", join(folder, "tokens.json")];
    const { child, outcome } = startCli([
      ...["diagnose", folder, ...tokens, "--csv", csv],
      ...["--device", "cpu", "--metrics", "variance", ...output],
    ]);
    child.stdout!.destroy();
    const { code, stderr } = await outcome;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(readFileSync(csv, "utf8")).toContain("model.layers.1");
  });

  it("is none of the help, nor where standard error is closed too", async () => {
    for (const args of [
      ["diagnose", "--help"],
      ["diagnose", "/nowhere"],
    ]) {
      const { child, outcome } = startCli(args);
      child.stdout!.destroy();
      if (args.length === 2 && args[1] === "/nowhere") child.stderr!.destroy();
      const { code, stderr } = await outcome;
      expect({ code, stderr }).toEqual({ code: args[1] === "--help" ? 0 : 3, stderr: "" });
    }
  });
});

/** A kept step of the sample's Pre-LN run. */
function sampleCheckpoint(): string {
  const run = join(media, "sample/pre-ln");
  const steps = readdirSync(run).filter((name) => existsSync(join(run, name, "tokenizer.json")));
  return join(run, steps.toSorted()[0]!);
}
