import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { readHeadlines } from "../../../../src/host/reading/headlineReader";
import { headlineOf } from "../../../../src/report/headline";
import { sampleReport } from "../../report/sampleReport";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const report = sampleReport({ layers: 4 });

function files(...contents: string[]): { folder: string; files: string[]; memory: string } {
  const folder = scratch();
  const written = contents.map((content, i) => {
    const file = path.join(folder, `${i}.fathom.json`);
    writeFileSync(file, content);
    return file;
  });
  return { folder, files: written, memory: path.join(folder, "kept", "headlines.json") };
}

test("of each file says its headline or what is wrong, in their order", async () => {
  const { folder, files: some, memory } = files("{}", JSON.stringify(report));
  const here = { ...report, checkpoint: { ...report.checkpoint, path: folder } };
  writeFileSync(path.join(folder, "here.fathom.json"), JSON.stringify(here));
  const all = [...some, path.join(folder, "here.fathom.json"), path.join(folder, "gone")];
  const read = await readHeadlines(all, memory);
  expect(read).toEqual([
    { problem: expect.stringContaining("not a report of Fathom") },
    { headline: headlineOf(report), hasCheckpoint: false },
    { headline: headlineOf(here), hasCheckpoint: true },
    { problem: expect.stringContaining("ENOENT") },
  ]);
});

test("reads a file again only once it has changed", async () => {
  const { files: some, memory } = files(JSON.stringify(report), "[]");
  const [file] = some as [string, string];
  await readHeadlines(some, memory);
  // What was read is what is remembered: another figure there is the one that is answered.
  const kept = readFileSync(memory, "utf8");
  writeFileSync(memory, kept.replace('"layers":4', '"layers":5'));
  expect(await readHeadlines([file], memory)).toMatchObject([{ headline: { layers: 5 } }]);

  writeFileSync(file, JSON.stringify(sampleReport({ layers: 6 })));
  expect(await readHeadlines([file], memory)).toMatchObject([{ headline: { layers: 6 } }]);
});

test("reads anew where its memory is spoilt or cannot be written", async () => {
  const { folder, files: some } = files(JSON.stringify(report));
  const spoilt = path.join(folder, "spoilt.json");
  writeFileSync(spoilt, '{"version":1,"entries":[["x",{"layers":"many"}]]}');
  const below = path.join(spoilt, "no-folder.json");
  for (const memory of [spoilt, below]) {
    expect(await readHeadlines(some, memory)).toEqual([
      { headline: headlineOf(report), hasCheckpoint: false },
    ]);
  }
});
