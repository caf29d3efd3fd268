import { read, readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";
import { CheckpointError, lineOf } from "../errors";

/** What lies between two pieces is read with them where it is no longer than this. */
const closeBytes = 2 ** 15;
/** The most that is read together. */
const runBytes = 2 ** 18;
/** Reads under way at once: the system has a few threads for them. */
const runsAtOnce = 8;
/** What the system has in memory takes microseconds; a disk that takes longer is better asked for several. */
const quickMilliseconds = 1;

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
   * Many short pieces, those that lie close together by one read. What the system has at hand is read one
   * after another, else several at once; without a promise for each of the thousands that a large archive
   * takes, which would cost more than the reads.
   *
   * @param use is given each piece once: where it begins in some bytes, which are its own until it returns
   * @throws CheckpointError where they are not all in the range and in the file, and what `use` throws
   */
  readEach(
    pieces: readonly { readonly offset: number; readonly length: number }[],
    use: (index: number, bytes: Buffer, at: number) => void,
  ): Promise<void> {
    const runs = runsOf(pieces);
    // Of reads that are done, for those that follow.
    const free: Buffer[] = [];
    let [next, underWay] = [0, 0];
    let failure: Error | undefined;
    let isQuick = true;
    return new Promise((resolve, reject) => {
      const goOn = (): void => {
        while (underWay < runsAtOnce && next < runs.length && failure === undefined) {
          begin(runs[next++]!);
        }
        // The file is closed after this: not before the last read of it is done.
        if (underWay > 0) return;
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const hand = ({ start, pieces: indexes }: Run, bytes: Buffer, at: number): void => {
        try {
          for (const index of indexes) use(index, bytes, at + pieces[index]!.offset - start);
        } catch (error) {
          failure ??= error as Error;
        }
      };
      const begin = (run: Run): void => {
        const { start, end } = run;
        const length = end - start;
        if (!this.holds(start, length)) {
          failure = this.ended(this.bytes, end);
          return;
        }
        const known = this.knownBytes(start, length);
        if (known) {
          hand(run, known, 0);
          return;
        }
        const held = length <= runBytes ? free.pop() : undefined;
        const bytes = held ?? Buffer.alloc(Math.max(length, Math.min(runBytes, this.bytes)));
        const done = (error: unknown, bytesRead: number): void => {
          if (error) failure ??= error as Error;
          else if (bytesRead !== length) failure ??= this.ended(start + bytesRead, end);
          else hand(run, bytes, 0);
          free.push(bytes);
        };
        const place: Place = [bytes, 0, length, this.start + start];
        if (isQuick) {
          isQuick = readNow(this.handle.fd, place, done);
          return;
        }
        underWay++;
        read(this.handle.fd, ...place, (error, bytesRead) => {
          underWay--;
          done(error, bytesRead);
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

type Place = readonly [bytes: Buffer, at: number, length: number, position: number];

/** Reads without leaving the thread. @returns whether the bytes were there at once */
function readNow(
  file: number,
  place: Place,
  done: (error: unknown, bytesRead: number) => void,
): boolean {
  const began = performance.now();
  try {
    done(undefined, readSync(file, ...place));
  } catch (error) {
    done(error, 0);
  }
  return performance.now() - began < quickMilliseconds;
}

/** Pieces that are read together. */
interface Run {
  readonly start: number;
  end: number;
  /** By their places in the list of all. */
  readonly pieces: number[];
}

function runsOf(pieces: readonly { readonly offset: number; readonly length: number }[]): Run[] {
  const runs: Run[] = [];
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
  return runs;
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
