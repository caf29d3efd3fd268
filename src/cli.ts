#!/usr/bin/env node
/** The command line: the same core as the extension, headless. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { stacks } from "./architecture/description";
import { schemeNames } from "./architecture/schemes";
import { messageOf } from "./checkpoint/errors";
import { describe, type DescribeOptions } from "./cli/describe";
import { diagnose, type DiagnoseOptions } from "./cli/diagnose";
import { exitCodes } from "./cli/exitCodes";
import { complain, surviveClosedStreams } from "./cli/output";
import { collect, fileName, keyValue, metricList, positive, whole } from "./cli/values";
import type { Metric } from "./diagnosis/report";
import { metrics } from "./diagnosis/report";
import { devices } from "./engine/device";

const manifest = join(__dirname, "../package.json");

/** Removing sublayers costs two more sweeps, so it must be asked for. */
const defaultMetrics: Metric[] = ["variance", "jacobian", "pruning"];

const exitCodeHelp = `
Exit codes:
  0    done
  2    usage, unusable text or token files included
  3    the checkpoint cannot be read or is not supported
  4    the run failed, or a file cannot be written
  130  interrupted`;

async function main(): Promise<void> {
  surviveClosedStreams();
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
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
    .addHelpText("after", exitCodeHelp)
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
    .addHelpText("after", exitCodeHelp)
    .action(async (checkpoint: string, options: DescribeOptions) => {
      process.exitCode = await describe(checkpoint, options);
    });

  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    // Without a command, the help has been shown already.
    if (!(error instanceof CommanderError && error.code === "commander.help")) {
      complain(usageError(error, process.argv.slice(2)));
    }
    process.exitCode = exitCodes.usage;
  }
}

/** What was wrong with the arguments, and where the right ones are listed. */
function usageError(error: unknown, [command = ""]: readonly string[]): string {
  const what = messageOf(error)
    .replace(/^error: /, "")
    .replaceAll("\n", " ")
    .replace(/\.?$/, ".");
  if (error instanceof CommanderError && error.code === "commander.unknownCommand") {
    return existsSync(command)
      ? `${what} To measure a checkpoint: fathom diagnose ${command}`
      : `${what} fathom --help lists the commands.`;
  }
  const isKnown = command === "diagnose" || command === "describe";
  return isKnown
    ? `${what} fathom ${command} --help lists what it takes.`
    : `${what} fathom --help lists the commands.`;
}

void main();
