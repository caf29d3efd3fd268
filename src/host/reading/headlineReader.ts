/**
 * The headlines of report files. A report may be many megabytes for the few figures of its headline,
 * so what was read of a file is remembered until the file changes.
 */
import { mkdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import * as z from "zod";
import { headlineOf, type Headline } from "../../report/headline";
import { checkSize, parseReport } from "../../report/readReport";
import { writeWholeFile } from "../../report/wholeFile";
import { headlineSchema } from "../reports/reportIndex";
import { exactStampsOf } from "./fileStamps";
import type { ReportFileHeadline } from "./reader";

/** Raised with each change of what a headline is made of: what was remembered is then read anew. */
const version = 1;
/** Files that are remembered; those read longest ago go first. */
const mostEntries = 2000;

/**
 * One after the other, so that the thread is others' too between two files.
 *
 * @param memory the file in which it is kept what was read, made when there is something to keep
 * @returns for each file its headline, or why it has none
 */
export async function readHeadlines(
  files: readonly string[],
  memory: string,
): Promise<ReportFileHeadline[]> {
  const remembered = new Map(await entriesOf(memory));
  const fresh: Entry[] = [];
  const read: ReportFileHeadline[] = [];
  for (const file of files) {
    const stamps = (await exactStampsOf([file]))?.text;
    try {
      let headline = stamps === undefined ? undefined : remembered.get(stamps);
      if (headline === undefined) {
        headline = await headlineOfFile(file);
        if (stamps !== undefined) fresh.push([stamps, headline]);
      }
      const hasCheckpoint = await exists(headline.checkpointPath);
      read.push({ headline, hasCheckpoint });
    } catch (error) {
      read.push({ problem: error instanceof Error ? error.message : String(error) });
    }
  }
  if (fresh.length > 0) await remember(memory, [...fresh, ...remembered].slice(0, mostEntries));
  return read;
}

/** The stamps of a file, and the headline of the report in it. */
type Entry = readonly [stamps: string, headline: Headline];

async function headlineOfFile(file: string): Promise<Headline> {
  checkSize((await stat(file)).size);
  return headlineOf(parseReport(await readFile(file, "utf8")));
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

/** None where the memory is missing or spoilt. */
async function entriesOf(memory: string): Promise<readonly Entry[]> {
  try {
    return memorySchema.parse(JSON.parse(await readFile(memory, "utf8"))).entries;
  } catch {
    return [];
  }
}

async function remember(memory: string, entries: readonly Entry[]): Promise<void> {
  try {
    await mkdir(path.dirname(memory), { recursive: true });
    await writeWholeFile(memory, JSON.stringify({ version, entries }));
  } catch {
    // A full disk: the files are read again the next time.
  }
}

const memorySchema = z.object({
  version: z.literal(version),
  entries: z.array(z.tuple([z.string(), headlineSchema])),
});
