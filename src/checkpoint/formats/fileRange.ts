import { read } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";
import { CheckpointError, lineOf } from "../errors";

/** What lies between two pieces is read with them where it is no longer than this. */
const closeBytes = 2 ** 15;
/** The most that is read together. */
const runBytes = 2 ** 20;
/** Reads under way at once: the system has a few threads for them. */
const runsAtOnce = 64;

/** A run of bytes of an open file, such as the whole of it or an archive inside it. */
export class FileRange {
  constructor(
    readonly file: string,
    private readonly handle: FileHandle,
    /** Where it begins in the file. */
    readonly start: number,
    readonly bytes: number,
    private readonly known: readonly { readonly offset: number; readonly bytes: Buffer }[] = [],
  ) {}

  /** The same, with its first and last bytes in memory, for many short ranges of one file. */
  async withEnds(first: number, last: number): Promise<FileRange> {
    const tail = Math.max(0, this.bytes - last);
    const known = [
      { offset: 0, bytes: await this.read(0, Math.min(first, this.bytes)) },
      { offset: tail, bytes: await this.read(tail, this.bytes - tail) },
    ];
    return new FileRange(this.file, this.handle, this.start, this.bytes, known);
  }

  /** @throws CheckpointError where they are not all in the range and in the file */
  async read(offset: number, length: number): Promise<Buffer> {
    this.check(offset, length);
    const known = this.knownBytes(offset, length);
    if (known) return known;
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await this.handle.read(bytes, 0, length, this.start + offset);
    if (bytesRead !== length) throw this.ended(offset + bytesRead, offset + length);
    return bytes;
  }

  /**
   * Many short pieces, those that lie close together by one read.
   *
   * @returns their bytes, in the same order
   * @throws CheckpointError where they are not all in the range and in the file
   */
  async readEach(
    pieces: readonly { readonly offset: number; readonly length: number }[],
  ): Promise<Buffer[]> {
    const bytes = Array<Buffer>(pieces.length);
    const runs: { start: number; end: number; pieces: number[] }[] = [];
    const order = [...pieces.keys()].sort((a, b) => pieces[a]!.offset - pieces[b]!.offset);
    for (const index of order) {
      const { offset, length } = pieces[index]!;
      const end = offset + length;
      const run = runs.at(-1);
      if (run && offset - run.end <= closeBytes && end - run.start <= runBytes) {
        run.end = Math.max(run.end, end);
        run.pieces.push(index);
      } else {
        runs.push({ start: offset, end, pieces: [index] });
      }
    }
    const found = await this.readRuns(runs);
    for (const [at, run] of runs.entries()) {
      for (const index of run.pieces) {
        const { offset, length } = pieces[index]!;
        bytes[index] = found[at]!.subarray(offset - run.start, offset - run.start + length);
      }
    }
    return bytes;
  }

  /**
   * Several at once, and without a promise for each: of the thousands of short reads that a large
   * archive takes, those would cost more than the reads.
   */
  private readRuns(
    runs: readonly { readonly start: number; readonly end: number }[],
  ): Promise<Buffer[]> {
    const bytes = Array<Buffer>(runs.length);
    let [next, underWay] = [0, 0];
    let failure: Error | undefined;
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        while (underWay < runsAtOnce && next < runs.length && failure === undefined) begin(next++);
        // The file is closed after this: not before the last read of it is done.
        if (underWay > 0) return;
        if (failure === undefined) resolve(bytes);
        else reject(failure);
      };
      const begin = (at: number): void => {
        const { start, end } = runs[at]!;
        const length = end - start;
        if (!this.holds(start, length)) {
          failure = this.ended(this.bytes, end);
          return;
        }
        const known = this.knownBytes(start, length);
        bytes[at] = known ?? Buffer.alloc(length);
        if (known) return;
        underWay++;
        read(this.handle.fd, bytes[at], 0, length, this.start + start, (error, bytesRead) => {
          underWay--;
          if (error) failure ??= error;
          else if (bytesRead !== length) failure ??= this.ended(start + bytesRead, end);
          goOn();
        });
      };
      goOn();
    });
  }

  private knownBytes(offset: number, length: number): Buffer | undefined {
    for (const part of this.known) {
      const from = offset - part.offset;
      if (from >= 0 && from + length <= part.bytes.length) {
        return part.bytes.subarray(from, from + length);
      }
    }
    return undefined;
  }

  /** @throws CheckpointError where it is not all in this range */
  part(offset: number, bytes: number): FileRange {
    this.check(offset, bytes);
    return new FileRange(this.file, this.handle, this.start + offset, bytes);
  }

  private check(offset: number, length: number): void {
    if (!this.holds(offset, length)) throw this.ended(this.bytes, offset + length);
  }

  private holds(offset: number, length: number): boolean {
    const isPlace = Number.isSafeInteger(offset) && Number.isSafeInteger(length);
    return isPlace && offset >= 0 && length >= 0 && offset + length <= this.bytes;
  }

  private ended(at: number, wanted: number): CheckpointError {
    const where = this.start === 0 ? "" : ` of the part at byte ${this.start}`;
    return new CheckpointError(
      "header",
      `${this.file}: ends at byte ${at}${where}, but should go on to byte ${wanted}; it is truncated or damaged.`,
    );
  }
}

/**
 * Opens a file for as long as `use` takes.
 *
 * @throws CheckpointError when it cannot be opened or is not a file, and what `use` throws
 */
export async function withFile<T>(file: string, use: (whole: FileRange) => Promise<T>): Promise<T> {
  const unreadable = (error: unknown): never => {
    throw new CheckpointError("unreadable", `${file}: cannot be opened: ${lineOf(error)}.`);
  };
  // Asked before it is opened: opening a pipe would wait for a writer.
  if (!(await stat(file).catch(unreadable)).isFile()) {
    throw new CheckpointError("unreadable", `${file}: is not a file.`);
  }
  const handle = await open(file, "r").catch(unreadable);
  try {
    return await use(new FileRange(file, handle, 0, (await handle.stat()).size));
  } finally {
    await handle.close();
  }
}
