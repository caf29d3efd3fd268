/** What is asked of the thread that reads Python, and what it costs the thread that asks. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { MeasuredNorms } from "../../../src/host/python/measuredNorms";
import { PythonCode } from "../../../src/host/python/pythonCode";
import { scaleModel } from "../../../src/host/python/scaleModel";
import { PythonReader } from "../../../src/python/reader";
import { EditedDocument } from "./support/editedDocument";
import { longFile } from "../python/support/longFile";
import { huggingFace, huggingFacePaths, nanoGpt } from "../python/support/models";
import { sampleReport } from "../report/sampleReport";
import { ensureBuilt, extensionPath } from "../support/cli";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const bundles = path.dirname(extensionPath);
let code: PythonCode;
let documents: EditedDocument[] = [];

beforeAll(ensureBuilt);
afterEach(() => {
  code.dispose();
});

/** Opens a file that is in a folder of its own. */
function open(text: string, from = bundles): EditedDocument {
  const document = new EditedDocument(path.join(scratch(), "model.py"), text);
  writeFileSync(document.file, "");
  documents = [document];
  code = new PythonCode(from, () => documents.map((each) => each.open), { warn: vi.fn() });
  return document;
}

describe("the thread that reads Python", () => {
  it("finds the sites of a document, and again after an edit", async () => {
    const document = open(huggingFace);
    const sites = await code.sitesOf(document.open);
    const made = sites!.map(({ start, end }) => document.text.slice(start, end));
    expect(made).toHaveLength(4);
    for (const text of made) expect(text).toMatch(/^TinyRMSNorm\(/);
    expect(document.text.slice(sites![1]!.owner!.start)).toMatch(/^class TinyDecoderLayer/);
    const pushed = code.sitesOf(document.open);
    code.documentChanged(document.edit({ at: 0, insert: "# a remark\n" }));
    expect(await pushed).toBeUndefined();
    const moved = await code.sitesOf(document.open);
    expect(moved!.map(({ start }) => start)).toEqual(sites!.map(({ start }) => start + 11));
  });

  it("answers only of the document as it stands", async () => {
    const document = open(longFile(5000));
    const asked = [1, 2, 3].map((count) => {
      code.documentChanged(document.edit({ at: 0, insert: `# ${count}\n` }));
      return code.sitesOf(document.open);
    });
    const answers = await Promise.all(asked);
    expect(answers.map((sites) => sites !== undefined)).toEqual([false, false, true]);
  });

  it("scales a model as the reader does, with the open documents", async () => {
    const document = open(nanoGpt);
    const request = {
      path: document.uri.path,
      offset: nanoGpt.indexOf("class Block"),
      root: undefined,
    };
    const reader = await PythonReader.load(bundles);
    const texts = new Map([[document.uri.path, nanoGpt]]);
    expect(await code.scale(request)).toEqual(await scaleModel(reader, request, texts));
  });

  it("says why it could not be asked, and is asked again", async () => {
    const document = open(huggingFace, scratch());
    await expect(code.sitesOf(document.open)).rejects.toThrow(/python\.js/);
    await expect(code.sitesOf(document.open)).rejects.toThrow(/python\.js/);
  });
});

describe.runIf(process.platform === "linux")("a file of 5,000 lines in the extension host", () => {
  /** Of this thread's processor time, in milliseconds: what the lenses may cost the extension host. */
  const budget = 20;

  // Where this thread idles long enough, it collects the garbage of all tests: then it is tried again.
  it(
    "costs it less than 20 ms: when it is first read, edited and broken",
    { retry: 2 },
    async () => {
      const document = open(longFile(5000));
      const norms = measured(document);
      const cost = async (): Promise<number> => {
        const before = processorTime();
        const found = await norms.of(document.open, new AbortController().signal);
        const after = processorTime();
        expect(found!.measured).toHaveLength(3);
        return after - before;
      };
      const edited = async (at: number, inserted: readonly string[]): Promise<number[]> => {
        const costs: number[] = [];
        for (const insert of inserted) {
          code.documentChanged(document.edit({ at, insert }));
          costs.push(await cost());
        }
        return costs;
      };
      const first = await cost();
      const remarks = ["# one\n", "# two\n", "# three\n"];
      const edits = await edited(document.text.indexOf("class Model7DecoderLayer"), remarks);
      const at = document.text.indexOf("class Model1Attention");
      // All that follows changes between code and string.
      const broken = await edited(at, ['"""', "a", "b"]);
      const costs = [first, ...edits, ...broken];
      expect(Math.max(...costs), costs.join()).toBeLessThan(budget);
    },
  );
});

/** Of a report whose norms the file makes. */
function measured({ file }: EditedDocument): MeasuredNorms {
  const report = sampleReport({ layers: 12 });
  const norms = huggingFacePaths.map((path) => ({ path, feeds: "attention" as const }));
  const architecture = { ...report.architecture, family: "Model7ForCausalLM", norms };
  const folder = path.dirname(file);
  const checkpoint = path.join(folder, "checkpoint");
  const known = { key: "key", name: "checkpoint", savedAt: "", checkpoint };
  return new MeasuredNorms(
    code,
    {
      list: () => Promise.resolve([known]),
      read: () => Promise.resolve({ ...report, architecture }),
    },
    { of: () => undefined, all: new Map() },
    () => folder,
  );
}

/** Of the thread that asks, in milliseconds. */
function processorTime(): number {
  return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6;
}
