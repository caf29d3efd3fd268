import { appendFileSync, cpSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { directReader } from "../../../../src/host/reading/directReader";
import type { Reader } from "../../../../src/host/reading/reader";
import { ReportMemory } from "../../../../src/host/reports/reportMemory";
import { ReportStore, type ReportHeadline } from "../../../../src/host/reports/reportStore";
import type { DiagnosisRequest } from "../../../../src/protocol/messages";
import { sampleReport } from "../../report/sampleReport";
import { copyFixture, editConfig } from "../../support/checkpoints";
import { scratchFolders } from "../../support/scratch";

const scratch = scratchFolders();
const patience = new AbortController().signal;
const report = sampleReport({ layers: 12 });

function setUp(): { memory: ReportMemory; store: ReportStore; request: DiagnosisRequest } {
  const checkpoint = copyFixture("llama", path.join(scratch(), "checkpoint"));
  const text = path.join(scratch(), "text.txt");
  writeFileSync(text, "Once upon a time");
  const store = new ReportStore(scratch(), {
    log: { warn: () => undefined },
    nameOf: (file) => file,
    reader: directReader,
  });
  const request: DiagnosisRequest = {
    checkpoint,
    texts: { kind: "text", files: [text] },
    sequenceLength: 256,
    sequenceLengthIsExplicit: false,
    maxTokens: 2048,
    maxTokensIsExplicit: false,
    metrics: ["variance"],
    probes: 2,
    device: "cpu",
    seed: 0,
  };
  return { memory: new ReportMemory(store, directReader), store, request };
}

describe("ReportMemory", () => {
  test("finds nothing at first, then what it kept, under the path it is asked for", async () => {
    const { memory, request } = setUp();
    const first = await memory.recall(request, patience);
    expect(first.stored).toBeUndefined();
    expect(await first.fingerprint?.()).toMatch(/^[0-9a-f]{64}$/);
    const kept = await first.keep?.("a", report);
    const { stored } = await memory.recall(request, patience);
    expect(kept).toEqual({ key: stored?.key });
    expect(stored?.report).toEqual({
      ...report,
      checkpoint: { ...report.checkpoint, path: request.checkpoint },
    });
    expect(stored?.savedAt).toMatch(/^\d{4}-/);
  });

  test("does not trust a fingerprint of parts once the file was written over in its place", async () => {
    const { memory, store, request } = setUp();
    await (await memory.recall(request, patience)).keep?.("a", report);
    const [{ checkpointPath, savedAt }] = (await store.list()) as [ReportHeadline];
    const saved = Date.parse(savedAt);
    const recalledAt = async (path: string, partlyReadFrom: number) => {
      const contentOf: Reader["contentOf"] = async (...given) => ({
        ...(await directReader.contentOf(...given)),
        path,
        partlyReadFrom,
      });
      return (await new ReportMemory(store, { contentOf }).recall(request, patience)).stored;
    };
    expect(await recalledAt(checkpointPath, saved - 1)).toBeDefined();
    expect(await recalledAt(checkpointPath, saved + 1)).toBeUndefined();
    expect(await recalledAt("/elsewhere", saved + 1)).toBeDefined();
  });

  test("a copy elsewhere was measured already", async () => {
    const { memory, request } = setUp();
    await (await memory.recall(request, patience)).keep?.("a", report);
    const copy = path.join(scratch(), "copy");
    cpSync(request.checkpoint, copy, { recursive: true });
    const { stored } = await memory.recall({ ...request, checkpoint: copy }, patience);
    expect(stored?.report.checkpoint.path).toBe(copy);
  });

  test("asked to measure anew, it finds nothing and keeps the new in its place", async () => {
    const { memory, store, request } = setUp();
    await (await memory.recall(request, patience)).keep?.("a", report);
    const anew = await memory.recall(request, patience, true);
    expect(anew.stored).toBeUndefined();
    await anew.keep?.("anew", report);
    expect((await store.list()).map(({ name }) => name)).toEqual(["anew"]);
  });

  test.each<[string, (request: DiagnosisRequest) => void]>([
    [
      "the config",
      ({ checkpoint }) => {
        editConfig(checkpoint, { rms_norm_eps: 1e-3 });
      },
    ],
    [
      "the text",
      ({ texts }) => {
        if (texts.kind === "text") appendFileSync(texts.files[0]!, ".");
      },
    ],
  ])(
    "after a change of %s nothing is found, and what was measured meanwhile is not kept",
    async (_, change) => {
      const { memory, store, request } = setUp();
      const recalled = await memory.recall(request, patience);
      await recalled.keep?.("a", report);
      change(request);
      expect((await memory.recall(request, patience)).stored).toBeUndefined();
      expect(await recalled.fingerprint?.()).toBeUndefined();
      expect(await recalled.keep?.("b", report)).toEqual({
        notice: "The checkpoint or the text changed during the run: not stored.",
      });
      expect((await store.list()).map(({ name }) => name)).toEqual(["a"]);
    },
  );

  test("what cannot be read is left to the engine to tell of", async () => {
    const { memory, request } = setUp();
    expect(await memory.recall({ ...request, checkpoint: "/none" }, patience)).toEqual({});
    const texts = { kind: "text", files: ["/none.txt"] } as const;
    expect(await memory.recall({ ...request, texts }, patience)).toEqual({});
  });

  test("ends when it is told to", async () => {
    const { memory, request } = setUp();
    const cancelled = AbortSignal.abort(new Error("enough"));
    await expect(memory.recall(request, cancelled)).rejects.toThrow("enough");
  });
});
