import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { CheckpointError } from "../../src/checkpoint/errors";
import { TextError } from "../../src/text/errors";
import { watchAllocation } from "./allocation";
import { mutated, mutations } from "./mutate";
import type { Sample } from "./samples";
import { bytesOf } from "./samples";
import type { Target } from "./targets";

/** Longest that a file may take, in milliseconds; other work on the machine counts too. */
const longest = 20_000;
/** What reading takes in any case: promises, messages with their stacks, code compiled on the way. */
const spareBytes = 2 ** 19;

/** What became of mutated files. */
export interface Outcome {
  read: number;
  refused: number;
  /** The most bytes that were allocated for one. */
  mostBytes: number;
  /** The same beside the spare bytes, in sizes of the file. */
  mostSizes: number;
  /** The longest that one took, in milliseconds. */
  slowest: number;
}

/**
 * Gives a reader mutated files. Each must end in a directory or in an error of ours, in one line and
 * soon, and allocate no more than the target's multiple of its size.
 *
 * @param folder where the files are written
 */
export async function fuzz(
  target: Target,
  folder: string,
  { runs, seed }: { runs: number; seed: number },
): Promise<Outcome> {
  const places = target.samples.map((sample, at) => laid(sample, join(folder, String(at))));
  // What is valid is read first, so that the code is compiled and no valid file fails unseen.
  for (const [at, sample] of target.samples.entries()) {
    write(places[at]!, sample);
    await target.read(places[at]!.read);
  }
  const outcome: Outcome = { read: 0, refused: 0, mostBytes: 0, mostSizes: 0, slowest: 0 };
  const property = fc.asyncProperty(
    fc.nat(target.samples.length - 1),
    mutations,
    async (at, changes) => {
      const place = places[at]!;
      const file = mutated(target.samples[at]!, changes);
      write(place, file);
      const size = Math.max(1, bytesOf(file) + place.besideBytes);
      const most = spareBytes + target.multiple * size;
      let once = await readOnce(target, place.read);
      // What else goes on in the process is counted too, but not each time.
      for (let more = 0; once.allocated > most && more < 3; more++) {
        once = await readOnce(target, place.read);
      }
      const { allocated, took, isRead } = once;
      if (took > longest) throw new Error(`took ${Math.round(took)} ms`);
      if (allocated > most) throw new Error(`took ${allocated} bytes for a file of ${size}`);
      outcome[isRead ? "read" : "refused"]++;
      outcome.mostBytes = Math.max(outcome.mostBytes, allocated);
      outcome.mostSizes = Math.max(outcome.mostSizes, (allocated - spareBytes) / size);
      outcome.slowest = Math.max(outcome.slowest, took);
    },
  );
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
  return outcome;
}

/** @throws what is no error of ours, or has a message of several lines */
async function readOnce(
  target: Target,
  path: string,
): Promise<{ isRead: boolean; allocated: number; took: number }> {
  const start = performance.now();
  const watch = watchAllocation();
  const failure = await target.read(path).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const allocated = watch.end();
  const took = performance.now() - start;
  if (failure === undefined) return { isRead: true, allocated, took };
  const { error } = failure;
  if (!(error instanceof CheckpointError || error instanceof TextError)) throw error;
  if (/[\u0000-\u001f]/.test(error.message)) throw new Error("the message is not one line");
  return { isRead: false, allocated, took };
}

interface Place {
  readonly file: string;
  /** What the reader is given: the file, or the folder of a checkpoint in several. */
  readonly read: string;
  readonly besideBytes: number;
}

/** Puts the unspoilt files of a checkpoint where its spoilt one will be. */
function laid({ part }: Sample, folder: string): Place {
  mkdirSync(folder, { recursive: true });
  if (part === undefined) {
    return { file: join(folder, "file"), read: join(folder, "file"), besideBytes: 0 };
  }
  let besideBytes = 0;
  for (const [name, content] of Object.entries(part.beside)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
    besideBytes += content.length;
  }
  return { file: join(folder, part.name), read: join(folder, part.read), besideBytes };
}

function write({ file: path }: Place, sample: Sample): void {
  const file = openSync(path, "w");
  const { head, gap, tail } = sample;
  if (head.length > 0) writeSync(file, head);
  ftruncateSync(file, bytesOf(sample));
  if (tail.length > 0) writeSync(file, tail, 0, tail.length, head.length + gap);
  closeSync(file);
}
