#!/usr/bin/env node
/** The command line: the same core as the extension, headless. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { stacks } from "./architecture/description";
import { isSettingName, settingNames } from "./architecture/reading";
import { schemeNames } from "./architecture/schemes";
import { whyNotValue } from "./architecture/settingValues";
import { describeStatement } from "./architecture/statement/describeStatement";
import { statementName } from "./checkpoint/checkpoint";
import { messageOf } from "./checkpoint/errors";
import { openCheckpoint } from "./checkpoint/open";
import type { Metric, Report } from "./diagnosis/report";
import { metrics } from "./diagnosis/report";
import type { Device } from "./engine/device";
import { devices } from "./engine/device";
import type { EngineRun } from "./engineClient";
import { startEngine } from "./engineClient";
import type { DiagnosisRequest, EngineEvent, Failure } from "./protocol/messages";
import { progressText } from "./report/progress";
import { reportCsv } from "./report/csv";
import { reportHtml } from "./report/html";
import { reportTable } from "./report/terminal";
import { checkWritable, FileWriteError, writeWholeFile } from "./report/wholeFile";
import type { TextSource } from "./text/source";

/** Files that are built or shipped beside this one. */
const home = {
  engine: join(__dirname, "engine.js"),
  defaultText: join(__dirname, "../media/text/default.txt"),
  panelScript: join(__dirname, "webview/panel.js"),
  panelStyle: join(__dirname, "webview/panel.css"),
  manifest: join(__dirname, "../package.json"),
};

const exitCodes = {
  usage: 2,
  checkpoint: 3,
  run: 4,
  device: 4,
  killed: 4,
  interrupted: 130,
} as const satisfies Record<Failure["reason"], number>;

/** Removing sublayers costs two more sweeps, so it must be asked for. */
const defaultMetrics: Metric[] = ["variance", "jacobian", "pruning"];

interface DiagnoseOptions {
  text?: string[];
  tokens?: string;
  images?: string;
  sequenceLength?: number;
  maxTokens?: number;
  metrics: Metric[];
  probes: number;
  scheme?: string;
  stack?: string;
  reading?: Record<string, string>;
  device: Device;
  threads?: number;
  memory?: number;
  seed: number;
  json?: string;
  csv?: string;
  html?: string;
}

async function main(): Promise<void> {
  const { version } = JSON.parse(readFileSync(home.manifest, "utf8")) as { version: string };
  const program = new Command("fathom")
    .description("Measures how deep a transformer really is.")
    .version(version)
    // A usage error ends with exit code 2 and one line, as every other error does.
    .exitOverride()
    .configureOutput({ outputError: () => undefined });

  program
    .command("diagnose")
    .description("measure every layer of a checkpoint")
    .argument(
      "<checkpoint>",
      "a weight file (.safetensors, .gguf, .pt, .pth, .ckpt, .bin), its index, or a folder that holds one",
    )
    .option("--text <file>", "text to evaluate (may be repeated)", collect)
    .option(
      "--tokens <file>",
      "JSON array of arrays of token ids to evaluate instead of text",
      fileName,
    )
    .option(
      "--images <file>",
      "images to evaluate: .safetensors with pixel_values and labels, or FILE.npy with FILE.labels.npy",
      fileName,
    )
    .option("--sequence-length <n>", "longest sequence, in tokens (default: 256)", whole(2))
    .option(
      "--max-tokens <n>",
      "most tokens to evaluate (default: 2048; token files: all)",
      whole(2),
    )
    .addOption(
      new Option("--metrics <list>", `some of ${metrics.join(",")}`)
        .argParser(metricList)
        .default(defaultMetrics, defaultMetrics.join(",")),
    )
    .option("--probes <k>", "random probes a document for the Jacobian", whole(1), 2)
    .addOption(
      new Option("--scheme <name>", "norm scheme, where the checkpoint cannot tell").choices(
        schemeNames,
      ),
    )
    .addOption(
      new Option(
        "--stack <name>",
        "which stack of an encoder and a decoder (default: the decoder if it has a head)",
      ).choices(stacks),
    )
    .addOption(
      new Option(
        "--reading <key=value>",
        "what is known of a model whose tensors do not tell it, such as heads=4 (may be repeated)",
      ).argParser(keyValue),
    )
    .addOption(new Option("--device <name>", "where to compute").choices(devices).default("auto"))
    .option("--threads <n>", "threads of the CPU", whole(1))
    .option("--memory <gib>", "memory budget in GiB", positive)
    .option("--seed <n>", "seed of the random probes", whole(0), 0)
    .option("--json <file>", 'write the report as JSON ("-" is standard output)', fileName)
    .option("--csv <file>", 'write one row a layer as CSV ("-" is standard output)', fileName)
    .option("--html <file>", 'write a self-contained page ("-" is standard output)', fileName)
    .action(async (checkpoint: string, options: DiagnoseOptions) => {
      process.exitCode = await diagnose(checkpoint, options);
    });

  program
    .command("describe")
    .description(
      "write a fathom.json that states how a checkpoint is read, to be completed by hand",
    )
    .argument("<checkpoint>", "as for diagnose")
    .option("--output <file>", 'where to ("-" is standard output; default: beside it)', fileName)
    .option("--force", "write over a file that is there")
    .action(async (checkpoint: string, options: DescribeOptions) => {
      process.exitCode = await describe(checkpoint, options);
    });

  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    // Without a command, the help has been shown already.
    if (!(error instanceof CommanderError && error.code === "commander.help")) {
      complain(messageOf(error).replace(/^error: /, ""));
    }
    process.exitCode = exitCodes.usage;
  }
}

async function diagnose(checkpoint: string, options: DiagnoseOptions): Promise<number> {
  const given = (["text", "tokens", "images"] as const).filter((name) => options[name]);
  if (given.length > 1) {
    complain(`--${given[0]} and --${given[1]} exclude each other: give one of them.`);
    return exitCodes.usage;
  }
  const outputs = [options.json, options.csv, options.html].filter((file) => file !== undefined);
  const places = outputs.map((file) => (file === "-" ? file : resolve(file)));
  const twice = outputs.find((_, at) => places.indexOf(places[at]!) !== at);
  if (twice !== undefined) {
    complain(`Two of --json, --csv and --html would write to "${twice}".`);
    return exitCodes.usage;
  }
  try {
    for (const file of outputs) if (file !== "-") await checkWritable(file);
  } catch (error) {
    complain(messageOf(error));
    return exitCodes.run;
  }
  const line = new ProgressLine();
  const run = startEngine(home.engine, requestOf(checkpoint, options), (event) => {
    line.show(event);
  });
  const outcome = await whileInterruptible(run);
  line.clear();
  if (!outcome.ok) {
    complain(outcome.failure.message);
    return exitCodes[outcome.failure.reason];
  }
  const areWritten = await writeFiles(outcome.report, options, !outputs.includes("-"));
  return areWritten ? 0 : exitCodes.run;
}

interface DescribeOptions {
  output?: string;
  force?: true;
}

async function describe(path: string, { output, force }: DescribeOptions): Promise<number> {
  try {
    const checkpoint = await openCheckpoint(path);
    const { text, guessed, unknown, refusal } = await describeStatement(checkpoint);
    if (output === "-") {
      await writeStandardOutput(text);
    } else {
      const file = output === undefined ? join(checkpoint.folder, statementName) : resolve(output);
      if (force === undefined && existsSync(file)) {
        complain(`${file} is there already; --force writes over it.`);
        return exitCodes.usage;
      }
      await writeWholeFile(file, text);
      process.stdout.write(`${file} is written.\n`);
    }
    if (refusal !== undefined) {
      complain(`${refusal} Say in it what each of the ${unknown} patterns of tensors is.`);
    } else if (guessed.length > 0) {
      complain(`Not told by the tensors, so guessed: ${guessed.join(", ")}.`);
    }
    return 0;
  } catch (error) {
    complain(messageOf(error));
    return error instanceof FileWriteError ? exitCodes.run : exitCodes.checkpoint;
  }
}

function requestOf(checkpoint: string, options: DiagnoseOptions): DiagnosisRequest {
  return {
    checkpoint: resolve(checkpoint),
    texts: textSource(options),
    sequenceLength: options.sequenceLength ?? 256,
    sequenceLengthIsExplicit: options.sequenceLength !== undefined,
    maxTokens: options.maxTokens ?? 2048,
    maxTokensIsExplicit: options.maxTokens !== undefined,
    metrics: options.metrics,
    probes: options.probes,
    device: options.device,
    seed: options.seed,
    ...(options.scheme !== undefined && { scheme: options.scheme }),
    ...(options.stack !== undefined && { stack: options.stack }),
    ...(options.reading !== undefined && { reading: options.reading }),
    ...(options.threads !== undefined && { threads: options.threads }),
    ...(options.memory !== undefined && { memoryBytes: options.memory * 2 ** 30 }),
  };
}

function textSource({ tokens, text, images }: DiagnoseOptions): TextSource {
  if (images !== undefined) return { kind: "images", file: resolve(images) };
  if (tokens !== undefined) return { kind: "tokens", file: resolve(tokens) };
  if (text !== undefined) return { kind: "text", files: text.map((file) => resolve(file)) };
  return { kind: "default", file: home.defaultText };
}

/** The run's outcome; an interrupt from the terminal or a signal ends the run at once. */
async function whileInterruptible(run: EngineRun): ReturnType<() => EngineRun["outcome"]> {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const cancel = (): void => {
    run.cancel();
  };
  for (const signal of signals) process.once(signal, cancel);
  try {
    return await run.outcome;
  } finally {
    for (const signal of signals) process.removeListener(signal, cancel);
  }
}

/** Writes what was asked for; a file that cannot be written is named, and keeps no other from it. */
async function writeFiles(
  report: Report,
  { json, csv, html }: DiagnoseOptions,
  withTable: boolean,
): Promise<boolean> {
  const asset = (file: string): string => readFileSync(file, "utf8");
  const wanted: [string | undefined, () => string][] = [
    [json, () => `${JSON.stringify(report, undefined, 2)}\n`],
    [csv, () => reportCsv(report)],
    [
      html,
      () => reportHtml(report, { script: asset(home.panelScript), style: asset(home.panelStyle) }),
    ],
    [withTable ? "-" : undefined, () => `${table(report)}\n`],
  ];
  let areWritten = true;
  for (const [file, content] of wanted) {
    if (file === undefined) continue;
    try {
      if (file === "-") await writeStandardOutput(content());
      else await writeWholeFile(file, content());
    } catch (error) {
      complain(messageOf(error));
      areWritten = false;
    }
  }
  return areWritten;
}

function table(report: Report): string {
  const { isTTY, columns } = process.stdout;
  return reportTable(report, {
    colour: isTTY && !process.env["NO_COLOR"],
    width: isTTY ? columns : 100,
  });
}

async function writeStandardOutput(content: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    const failed = (error: unknown): void => {
      fail(new FileWriteError("standard output", error));
    };
    // The stream emits what it tells the callback too; unheard, that would end the process.
    process.stdout.once("error", failed);
    process.stdout.write(content, (error) => {
      if (error) failed(error);
      else done();
    });
  });
}

/** One line on a terminal's standard error that tells where the run stands; nothing elsewhere. */
class ProgressLine {
  private readonly isShown = process.stderr.isTTY;

  show(event: EngineEvent): void {
    if (event.type === "notice") {
      this.clear();
      complain(event.text);
    } else if (event.type === "progress" && this.isShown) {
      const text = progressText(event.progress).slice(0, process.stderr.columns - 1);
      process.stderr.write(`\r\u001b[K${text}`);
    }
  }

  clear(): void {
    if (this.isShown) process.stderr.write("\r\u001b[K");
  }
}

function complain(message: string): void {
  process.stderr.write(`fathom: ${message.replaceAll("\n", " ")}\n`);
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, fileName(value)];
}

function fileName(value: string): string {
  if (value === "") throw new InvalidArgumentError("Expected the name of a file.");
  return value;
}

function keyValue(value: string, previous: Record<string, string> = {}): Record<string, string> {
  const [, key, stated] = /^([^=]+)=(.+)$/.exec(value) ?? [];
  if (key === undefined || stated === undefined || !isSettingName(key)) {
    throw new InvalidArgumentError(`Expected KEY=VALUE with one of ${settingNames.join(", ")}.`);
  }
  const why = whyNotValue(key, stated);
  if (why !== undefined) throw new InvalidArgumentError(`${key} is "${stated}"; ${why}.`);
  return { ...previous, [key]: stated };
}

function whole(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    }
    return number;
  };
}

function positive(value: string): number {
  const number = Number(value);
  if (!Number.isFinite(number) || number <= 0) {
    throw new InvalidArgumentError("Expected a number above 0.");
  }
  return number;
}

function metricList(value: string): Metric[] {
  const asked = value.split(",").map((name) => name.trim());
  for (const name of asked) {
    if (!metrics.some((metric) => metric === name)) {
      throw new InvalidArgumentError(`"${name}" is not one of ${metrics.join(", ")}.`);
    }
  }
  return metrics.filter((metric) => asked.includes(metric));
}

void main();
