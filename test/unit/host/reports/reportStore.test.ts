import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import type { Report } from "../../../../src/diagnosis/report";
import { directReader } from "../../../../src/host/reading/directReader";
import { ReportStore } from "../../../../src/host/reports/reportStore";
import { sampleReport } from "../../report/sampleReport";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const [a, b] = ["a".repeat(64), "b".repeat(64)];
const report = sampleReport({ layers: 12 });

function storeIn(folder: string): { store: ReportStore; warnings: string[] } {
  const warnings: string[] = [];
  const store = new ReportStore(folder, {
    log: { warn: (message) => warnings.push(message) },
    nameOf: (checkpoint) => `named/${path.basename(checkpoint)}`,
    reader: directReader,
  });
  return { store, warnings };
}

describe("ReportStore", () => {
  test("is empty where nothing was ever stored, and makes its folder when it must", async () => {
    const folder = path.join(scratch(), "not", "yet");
    const { store, warnings } = storeIn(folder);
    expect(await store.list()).toEqual([]);
    expect(await store.read(a)).toBeUndefined();
    await store.save(a, "pre-ln/4000", report);
    expect(readdirSync(folder).sort()).toEqual([`${a}.fathom.json`, "index.json"]);
    expect(warnings).toHaveLength(1);
  });

  test("gives back what it was given, also in the next window", async () => {
    const folder = scratch();
    const saved = await storeIn(folder).store.save(a, "pre-ln/4000", report);
    const { store, warnings } = storeIn(folder);
    expect(await store.read(a)).toEqual(report);
    expect(await store.find(a)).toEqual(saved);
    expect(saved).toMatchObject({
      key: a,
      name: "pre-ln/4000",
      checkpointPath: report.checkpoint.path,
      layers: 12,
      perplexity: 17.02,
      scheme: "pre-ln",
      seconds: 194.3,
    });
    expect(saved.variance!.first).toBe(report.layers[0]!.outputVariance!.mean);
    expect(saved.variance!.last).toBe(report.layers[11]!.outputVariance!.mean);
    expect(warnings).toEqual([]);
  });

  test("lists the newest first, and one that is measured anew moves up", async () => {
    const { store } = storeIn(scratch());
    await store.save(a, "a", report, "2026-01-01T00:00:00.000Z");
    await store.save(b, "b", report, "2026-01-02T00:00:00.000Z");
    expect((await store.list()).map(({ name }) => name)).toEqual(["b", "a"]);
    await store.save(a, "a again", report);
    expect((await store.list()).map(({ name }) => name)).toEqual(["a again", "b"]);
  });

  test("reads no whole report for its list", async () => {
    const folder = scratch();
    await storeIn(folder).store.save(a, "a", report);
    writeFileSync(path.join(folder, `${a}.fathom.json`), "spoilt");
    const { store, warnings } = storeIn(folder);
    expect(await store.list()).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test.each([
    [
      "lost",
      (index: string) => {
        rmSync(index);
      },
    ],
    [
      "spoilt",
      (index: string) => {
        writeFileSync(index, '{"version":1,"rep');
      },
    ],
    [
      "another version's",
      (index: string) => {
        writeFileSync(index, '{"version":2,"reports":[]}');
      },
    ],
  ])("an index that is %s is made anew from the files", async (_, spoil) => {
    const folder = scratch();
    await storeIn(folder).store.save(a, "a", report);
    const time = new Date("2026-05-06T07:08:09.000Z");
    utimesSync(path.join(folder, `${a}.fathom.json`), time, time);
    spoil(path.join(folder, "index.json"));
    const { store } = storeIn(folder);
    expect(await store.list()).toMatchObject([
      { key: a, name: "named/llama-130m-pre-ln", savedAt: time.toISOString(), perplexity: 17.02 },
    ]);
  });

  test("a spoilt report is skipped with a line in the log, and never costs the others", async () => {
    const folder = scratch();
    await storeIn(folder).store.save(b, "b", report);
    writeFileSync(path.join(folder, `${a}.fathom.json`), '{"schemaVersion":1,"checkpoint":');
    const { store, warnings } = storeIn(folder);
    expect((await store.list()).map(({ key }) => key)).toEqual([b]);
    expect(warnings.join()).toContain(`${a}.fathom.json is skipped: It is not JSON`);
    await store.save(a, "a", report);
    expect(await store.list()).toHaveLength(2);
  });

  test("what another window stored is kept and found", async () => {
    const folder = scratch();
    const { store: first } = storeIn(folder);
    const { store: second } = storeIn(folder);
    await Promise.all([first.list(), second.list()]);
    await first.save(a, "a", report);
    await second.save(b, "b", report);
    expect(await storeIn(folder).store.list()).toHaveLength(2);
  });

  test("deletes, and brings back as it was", async () => {
    const folder = scratch();
    const { store } = storeIn(folder);
    await store.save(a, "a", report, "2026-01-01T00:00:00.000Z");
    const before = await store.list();
    const undo = await store.delete(a);
    expect(await store.list()).toEqual([]);
    expect(readdirSync(folder)).toEqual(["index.json"]);
    expect(await store.delete(a)).toBeUndefined();
    await undo?.();
    expect(await store.list()).toEqual(before);
    expect(await store.read(a)).toEqual(report);
  });

  test("tells of each change, and of no more once disposed of", async () => {
    const { store } = storeIn(scratch());
    let changes = 0;
    const subscription = store.onDidChange(() => changes++);
    await store.save(a, "a", report);
    await store.delete(a);
    expect(changes).toBe(2);
    subscription.dispose();
    await store.save(a, "a", report);
    expect(changes).toBe(2);
  });

  test("changes that come together all last", async () => {
    const folder = scratch();
    const { store } = storeIn(folder);
    const keys = Array.from({ length: 8 }, (_, index) => `${index}`.repeat(64));
    await Promise.all(keys.map((key) => store.save(key, key.slice(0, 1), report)));
    const index = JSON.parse(readFileSync(path.join(folder, "index.json"), "utf8"));
    expect(index.reports).toHaveLength(8);
  });

  test("a report that cannot be written is told of, and the next one can be", async () => {
    const folder = scratch();
    const { store } = storeIn(folder);
    mkdirSync(path.join(folder, `${a}.fathom.json`));
    await expect(store.save(a, "a", report)).rejects.toThrow("a folder has that name");
    expect(await store.find(a)).toBeUndefined();
    await store.save(b, "b", report);
    expect(await store.find(b)).toBeDefined();
  });

  test.each(["", "../../etc/passwd", "A".repeat(64)])("%j is no key", async (key) => {
    const { store } = storeIn(scratch());
    await expect(store.save(key, "x", report)).rejects.toThrow("is not the key of a report");
    expect(await store.read(key)).toBeUndefined();
  });

  test("a report without removal costs has no counts of layers", async () => {
    const { store } = storeIn(scratch());
    const partial: Report = sampleReport({ layers: 12, pruning: false });
    const headline = await store.save(a, "a", partial);
    expect(headline).not.toHaveProperty("freeLayers");
    expect(headline).not.toHaveProperty("perplexity");
  });
});
