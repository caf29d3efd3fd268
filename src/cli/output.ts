/** Standard output and standard error, whose readers may go away at any time. */
import { fstatSync } from "node:fs";
import { FileWriteError } from "../report/wholeFile";

/** One line on standard error. */
export function complain(message: string): void {
  process.stderr.write(`fathom: ${message.replaceAll("\n", " ")}\n`);
}

/**
 * Writes to standard output. A reader that has gone, as `head` goes, has what it wanted.
 *
 * @throws {FileWriteError} when it takes no more for another reason
 */
export async function writeStandardOutput(content: string): Promise<void> {
  await new Promise<void>((done, fail) => {
    process.stdout.write(content, (error) => {
      if (error && !isGone(error)) fail(new FileWriteError("standard output", error));
      else done();
    });
  });
}

/** The streams emit what they tell a callback too; unheard, that would end the process with a stack. */
export function surviveClosedStreams(): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
}

/** Whether what is said on one is read on the other too: both go to one terminal, pipe or file. */
export function outputsAreOne(): boolean {
  try {
    const [output, error] = [fstatSync(1), fstatSync(2)];
    return output.dev === error.dev && output.ino === error.ino && output.rdev === error.rdev;
  } catch {
    return false;
  }
}

function isGone(error: Error): boolean {
  return "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}
