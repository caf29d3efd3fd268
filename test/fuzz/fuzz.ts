import { closeSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import fc from "fast-check";
import { CheckpointError } from "../../src/checkpoint/errors";
import { mutated, mutations } from "./mutate";
import type { Sample } from "./mutate";
import type { Target } from "./targets";

/** Longest that a file may take, in milliseconds; other work on the machine counts too. */
const longest = 20_000;
const spareBytes = 2 ** 20;

/**
 * Gives a reader mutated files. Each must end in a directory or in a CheckpointError, soon, and
 * without buffers beyond the target's multiple of its size.
 *
 * @param folder where the files are written
 * @returns how many were read, and how many refused
 */
export async function fuzz(
  target: Target,
  folder: string,
  { runs, seed }: { runs: number; seed: number },
): Promise<{ read: number; refused: number }> {
  const path = join(folder, `fuzzed-${target.name.replace(/\W+/g, "-")}`);
  const counts = { read: 0, refused: 0 };
  const property = fc.asyncProperty(
    fc.nat(target.samples.length - 1),
    mutations,
    async (sample, changes) => {
      const file = mutated(target.samples[sample]!, changes);
      write(path, file);
      const buffers = watchBuffers();
      const start = performance.now();
      try {
        await target.read(path);
        counts.read++;
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
        if (/[\u0000-\u001f]/.test(error.message)) throw new Error("the message is not one line");
        counts.refused++;
      } finally {
        buffers.end();
      }
      const took = performance.now() - start;
      if (took > longest) throw new Error(`took ${Math.round(took)} ms`);
      const most = spareBytes + target.multiple * file.bytes;
      if (buffers.bytes > most) throw new Error(`took buffers of ${buffers.bytes} bytes`);
    },
  );
  await fc.assert(property, { numRuns: runs, seed, endOnFailure: true });
  return counts;
}

function write(path: string, { head, bytes }: Sample): void {
  const file = openSync(path, "w");
  if (head.length > 0) writeSync(file, head);
  ftruncateSync(file, bytes);
  closeSync(file);
}

/** Counts the bytes that are asked for in buffers, which hold whatever a file's sizes make large. */
function watchBuffers(): { bytes: number; end: () => void } {
  const alloc = Buffer.alloc.bind(Buffer);
  const watched = {
    bytes: 0,
    end: () => {
      Buffer.alloc = alloc;
    },
  };
  Buffer.alloc = (size: number, ...fill: []) => {
    watched.bytes += size;
    return alloc(size, ...fill);
  };
  return watched;
}
