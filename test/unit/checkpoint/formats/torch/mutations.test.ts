import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CheckpointError } from "../../../../../src/checkpoint/errors";
import { torchTargets } from "../../../../fuzz/torchTargets";
import { scratchFolders } from "../../../support/scratch";

const scratch = scratchFolders();
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
const sizes = [0n, 1n, 0x7fn, 0xffn, 0xffffn, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 64n - 1n];

/** One change of a file: bits, a number over what is there, an end too early, a piece moved. */
const change = fc.oneof(
  fc.tuple(place, fc.nat(7)).map(([at, bit]) => (file: Buffer) => {
    file[Math.floor(at * file.length)]! ^= 1 << bit;
    return file;
  }),
  fc
    .tuple(place, fc.constantFrom(...sizes), fc.constantFrom(1, 4, 8))
    .map(([at, size, width]) => (file: Buffer) => {
      const number = Buffer.alloc(8);
      number.writeBigUInt64LE(size);
      number.copy(file, Math.floor(at * file.length), 0, width);
      return file;
    }),
  place.map((at) => (file: Buffer) => file.subarray(0, Math.floor(at * file.length))),
  fc.tuple(place, place, fc.nat(40)).map(([from, to, length]) => (file: Buffer) => {
    const start = Math.floor(from * file.length);
    file.copy(file, Math.floor(to * file.length), start, start + length);
    return file;
  }),
);

describe("mutated files", () => {
  it.each(torchTargets)(
    "of $name end in a directory or in one line that says why not",
    async ({ samples, read }) => {
      const path = join(scratch(), "file");
      const ends = { read: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(
          fc.nat(samples.length - 1),
          fc.array(change, { maxLength: 4 }),
          async (sample, changes) => {
            const file = Buffer.from(samples[sample]!.head);
            writeFileSync(
              path,
              changes.reduce<Buffer>((bytes, one) => one(bytes), file),
            );
            try {
              await read(path);
              ends.read++;
            } catch (error) {
              if (!(error instanceof CheckpointError)) throw error;
              expect(error.message).not.toMatch(/[\u0000-\u001f]/);
              ends.refused++;
            }
          },
        ),
        { numRuns: 700, seed: 4 },
      );
      expect(ends.read).toBeGreaterThan(20);
      expect(ends.refused).toBeGreaterThan(20);
    },
  );
});
