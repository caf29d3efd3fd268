import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterEach, describe, expect, it, vi } from "vitest";
import { CheckpointError } from "../../../../src/checkpoint/errors";
import { withFile } from "../../../../src/checkpoint/formats/fileRange";
import { failureOf } from "../../support/failures";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();

afterEach(() => {
  vi.restoreAllMocks();
});

/** Pieces of 8 bytes, some of them close together, in a file that holds 0, 1, 2 … in their places. */
const offsets = Array.from({ length: 300 }, (_, at) => (at % 7) * 40_000 + at * 8).reverse();

function written(): string {
  const file = join(scratch(), "file");
  const bytes = Buffer.alloc(300_000);
  for (const [index, offset] of offsets.entries()) bytes.writeDoubleLE(index, offset);
  writeFileSync(file, bytes);
  return file;
}

/** Time passes as on a disk that takes long for each read, or not at all. */
function onDisk(kind: string): void {
  let time = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (kind === "slow" ? (time += 9) : 0));
}

describe.each(["quick", "slow"])("many pieces of a file on a %s disk", (kind) => {
  const pieces = (length = 8) => offsets.map((offset) => ({ offset, length }));

  it("are each handed over once", async () => {
    onDisk(kind);
    const found = Array<number>(offsets.length);
    let times = 0;
    await withFile(written(), (file) =>
      file.readEach(pieces(), (index, bytes, at) => {
        found[index] = bytes.readDoubleLE(at);
        times++;
      }),
    );
    expect(found).toEqual([...offsets.keys()]);
    expect(times).toBe(offsets.length);
  });

  it("are refused where one lies beyond its end, or by who is given them", async () => {
    onDisk(kind);
    const read = (
      more: readonly { offset: number; length: number }[],
      use = (): void => undefined,
    ) => withFile(written(), (file) => file.readEach([...pieces(), ...more], use));
    await read([{ offset: 299_999, length: 1 }]);
    const beyond = read([{ offset: 299_999, length: 2 }]);
    expect(await failureOf(beyond, CheckpointError)).toContain("ends at byte 300000");
    const refused = read([], () => {
      throw new CheckpointError("header", "not this one");
    });
    expect(await failureOf(refused, CheckpointError)).toBe("not this one");
  });
});
