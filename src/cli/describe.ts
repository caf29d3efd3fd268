import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describeStatement } from "../architecture/statement/describeStatement";
import { statementName } from "../checkpoint/checkpoint";
import { messageOf } from "../checkpoint/errors";
import { openCheckpoint } from "../checkpoint/open";
import { checkWritable, FileWriteError, writeWholeFile } from "../report/wholeFile";
import { exitCodes } from "./exitCodes";
import { complain, writeStandardOutput } from "./output";

export interface DescribeOptions {
  output?: string;
  force?: true;
}

/** `fathom describe`. @returns its exit code */
export async function describe(path: string, { output, force }: DescribeOptions): Promise<number> {
  try {
    // Where it is named, what would be in the way is found before a large checkpoint is read.
    if (output !== undefined && output !== "-") {
      if (isInTheWay(resolve(output), force)) return exitCodes.usage;
      await checkWritable(resolve(output));
    }
    const checkpoint = await openCheckpoint(path);
    const { text, guessed, unknown, refusal } = await describeStatement(checkpoint);
    if (output === "-") {
      await writeStandardOutput(text);
    } else {
      const file = output === undefined ? join(checkpoint.folder, statementName) : resolve(output);
      if (isInTheWay(file, force)) return exitCodes.usage;
      await writeWholeFile(file, text);
      await writeStandardOutput(`${file} is written.\n`);
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

function isInTheWay(file: string, force: true | undefined): boolean {
  if (force !== undefined || !existsSync(file)) return false;
  complain(`${file} is there already; --force writes over it.`);
  return true;
}
