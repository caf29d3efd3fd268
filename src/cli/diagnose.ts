import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { messageOf } from "../checkpoint/errors";
import type { Metric, Report } from "../diagnosis/report";
import type { Device } from "../engine/device";
import type { EngineRun } from "../engineClient";
import { startEngine } from "../engineClient";
import type { DiagnosisRequest } from "../protocol/messages";
import { reportCsv } from "../report/csv";
import { reportHtml } from "../report/html";
import { reportTable } from "../report/terminal";
import { checkWritable, writeWholeFile } from "../report/wholeFile";
import type { TextSource } from "../text/source";
import { exitCodes } from "./exitCodes";
import { complain, outputsAreOne, writeStandardOutput } from "./output";
import { ProgressLine } from "./progressLine";

/** Files that are built or shipped beside the bundle that this is part of. */
const home = {
  engine: join(__dirname, "engine.js"),
  defaultText: join(__dirname, "../media/text/default.txt"),
  panelScript: join(__dirname, "webview/panel.js"),
  panelStyle: join(__dirname, "webview/panel.css"),
};

export interface DiagnoseOptions {
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

/** `fathom diagnose`. @returns its exit code */
export async function diagnose(checkpoint: string, options: DiagnoseOptions): Promise<number> {
  const given = (["text", "tokens", "images"] as const).filter((name) => options[name]);
  if (given.length > 1) {
    complain(
      `--${given[0]} and --${given[1]} exclude each other: give one of them. fathom diagnose --help lists what it takes.`,
    );
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
    // They have been told on standard error as they came.
    notices: !outputsAreOne(),
    colour: isTTY && !process.env["NO_COLOR"],
    width: isTTY ? columns : 100,
  });
}
