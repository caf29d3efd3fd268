import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { directReader } from "../../../../src/host/reading/directReader";
import { ReadingError } from "../../../../src/host/reading/reader";
import { ThreadedReader } from "../../../../src/host/reading/threadedReader";
import { discoverRun } from "../../../../src/trainingRun/discover";
import { sampleReport } from "../../report/sampleReport";
import { fixture } from "../../support/checkpoints";
import { ensureBuilt, readerPath } from "../../support/cli";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const repository = path.join(import.meta.dirname, "../../../..");
const patience = new AbortController().signal;
const bare = sampleReport({ layers: 2 });
const report = {
  ...bare,
  evaluation: { ...bare.evaluation, documents: 2, plannedDocuments: 2 },
  documents: { tokens: [5, 6], layers: [{ deltaNll: [0.1, 0.2] }, { deltaNll: [0.3, 0.4] }] },
};

beforeAll(ensureBuilt);

let reader = new ThreadedReader(readerPath);
afterEach(() => {
  reader.dispose();
  reader = new ThreadedReader(readerPath);
});

describe("ThreadedReader", () => {
  test("writes a report and reads it again, with the figures of each document", async () => {
    const file = path.join(scratch(), "a.fathom.json");
    await reader.writeReport(file, report);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual(report);
    expect(await reader.readReport(file)).toEqual(report);
    expect(await reader.parseReport(readFileSync(file))).toEqual(report);
  });

  test("answers as the reader in this thread does", async () => {
    const webview = path.join(repository, "dist", "webview");
    for (const format of ["json", "csv", "html"] as const) {
      expect(await reader.reportContent(report, format, webview)).toEqual(
        await directReader.reportContent(report, format, webview),
      );
      const pair = [
        { name: "a", report },
        { name: "b", report },
      ];
      expect(await reader.comparisonContent(pair, 1, format, webview)).toEqual(
        await directReader.comparisonContent(pair, 1, format, webview),
      );
    }
    const files = [path.join(repository, "media", "sample", "held-out.txt")];
    expect(await reader.contentOf(fixture("llama"), files, patience)).toEqual(
      await directReader.contentOf(fixture("llama"), files, patience),
    );
    expect(await reader.incompleteness(fixture("llama"))).toBeUndefined();
    const packed = await reader.directoryOf(fixture("llama"));
    expect(packed).toEqual(await directReader.directoryOf(fixture("llama")));
    expect(JSON.parse(new TextDecoder().decode(packed.directory))).toMatchObject({
      format: "safetensors",
      parts: expect.arrayContaining([expect.objectContaining({ prefix: "model.layers.0." })]),
    });
    const request = {
      checkpoint: fixture("llama"),
      sequenceLength: 16,
      maxTokens: 64,
      metrics: ["variance" as const],
      probes: 1,
      memoryBytes: 1e9,
    };
    expect(await reader.outlookOf(request)).toEqual(await directReader.outlookOf(request));
    const run = await discoverRun(path.join(repository, "media", "sample", "pre-ln"));
    expect(await reader.readLossLogs(run)).toEqual(await directReader.readLossLogs(run));
  });

  test("says what kind of error it was", async () => {
    const file = path.join(scratch(), "b.fathom.json");
    writeFileSync(file, "{}");
    const failure: unknown = await reader.readReport(file).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ReadingError);
    expect(failure).toMatchObject({ name: "ReportFileError", message: /not a report of Fathom/ });
    await expect(reader.readReport(path.join(scratch(), "none"))).rejects.toThrow("ENOENT");
  });

  test("gives up when asked to, and answers the next all the same", async () => {
    const abort = new AbortController();
    const content = reader.contentOf(fixture("llama"), [], abort.signal);
    abort.abort(new Error("enough"));
    await expect(content).rejects.toThrow("enough");
    await expect(reader.contentOf(fixture("llama"), [], abort.signal)).rejects.toThrow("enough");
    expect(await reader.incompleteness(fixture("llama"))).toBeUndefined();
  });

  test("fails what is under way when its thread ends, and starts another", async () => {
    const content = reader.contentOf(fixture("llama"), [], patience);
    reader.dispose();
    await expect(content).rejects.toThrow("The window was closed.");
    expect(await reader.incompleteness(fixture("llama"))).toBeUndefined();
  });

  test("fails what cannot be asked for want of a script", async () => {
    const nowhere = new ThreadedReader(path.join(scratch(), "none.js"));
    await expect(nowhere.incompleteness(fixture("llama"))).rejects.toThrow("none.js");
  });
});

test("of the losses beside a run, as many points pass as a chart can show", async () => {
  const folder = scratch();
  const lines = Array.from({ length: 30_000 }, (_, step) => `${step},${step === 777 ? 99 : 1}`);
  writeFileSync(path.join(folder, "log.csv"), ["step,loss", ...lines].join("\n"));
  const { series } = await directReader.readLossLogs({ folder, steps: [] });
  const points = series[0]!.points;
  expect(points.length).toBeLessThanOrEqual(5000);
  expect(points).toContainEqual({ step: 777, value: 99 });
});
