/**
 * Remembers what files held when they were last read, so that unchanged ones need not be read again:
 * a checkpoint of many gibibytes is known by its directory entries alone.
 */
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { writeWholeFile } from "../../report/wholeFile";
import { exactStampsOf } from "./fileStamps";

/** Raised with each change of what a fingerprint is made of: what was remembered is then read anew. */
const version = 1;
/** Sets of files that are remembered; those used longest ago go first. */
const mostEntries = 512;
/** A file system may give two writes within this time the same stamp, in milliseconds. */
const stampResolutionMs = 2_000;

/** The stamps of a set of files, and the hash of what they held. */
type Entry = readonly [stamps: string, hash: string];

export class FingerprintMemory {
  /** @param file where it is kept, made when there is something to keep; without it nothing is */
  constructor(private readonly file: string | undefined) {}

  /**
   * The hash that was remembered of these files; where one of them has been written since, or is not
   * known, what `read` says now.
   *
   * @param read reads the files; what it throws is thrown
   */
  async hashOf(files: readonly string[], read: () => Promise<string>): Promise<string> {
    if (this.file === undefined) return read();
    const before = await exactStampsOf(files);
    if (before === undefined) return read();
    const known = (await this.entries()).find(([stamps]) => stamps === before.text);
    const hash = known?.[1] ?? (await read());
    const isSettled = Date.now() - before.lastChangeMs > stampResolutionMs;
    if (known !== undefined || (isSettled && (await exactStampsOf(files))?.text === before.text)) {
      await this.remember([before.text, hash]);
    }
    return hash;
  }

  /** Of two threads that write at once one is forgotten, which costs a reading and nothing else. */
  private async remember(entry: Entry): Promise<void> {
    const entries = await this.entries();
    if (entries[0]?.[0] === entry[0]) return;
    const others = entries.filter(([stamps]) => stamps !== entry[0]);
    const content = { version, entries: [entry, ...others].slice(0, mostEntries) };
    try {
      await mkdir(path.dirname(this.file!), { recursive: true });
      await writeWholeFile(this.file!, JSON.stringify(content));
    } catch {
      // A full disk: the files are read again the next time.
    }
  }

  /** The last used first; none where the file is missing or spoilt. */
  private async entries(): Promise<readonly Entry[]> {
    try {
      return memorySchema.parse(JSON.parse(await readFile(this.file!, "utf8"))).entries;
    } catch {
      return [];
    }
  }
}

const memorySchema = z.object({
  version: z.literal(version),
  entries: z.array(z.tuple([z.string(), z.string().regex(/^[0-9a-f]{64}$/)])),
});
