/**
 * The extension host is one thread for all extensions: what Fathom does there at a stretch, every
 * other extension waits for. A probe in the same host measures each turn of the event loop in
 * processor time, so that what else runs on the machine does not count.
 */
import {
  cpSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  closeSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Report } from "../../src/diagnosis/report";
import { sampleReport } from "../unit/report/sampleReport";
import { longFile } from "../unit/python/support/longFile";
import { Probe, probeFile, type Turn } from "./support/probe";
import { lastStep, repository, Workbench } from "./support/workbench";

/** The longest that Fathom may hold up the extension host at a stretch, in milliseconds. */
const limit = 50;
/** What the lenses of a Python file of 5,000 lines may cost there, first read and all. */
const lensLimit = 20;

const step = lastStep("pre-ln");
const longCode = longFile(5000);
let workbench: Workbench;
let probe: Probe;

beforeAll(async () => {
  workbench = await Workbench.open("responsiveness", {
    // What opens late must not take the selection away.
    settings: {
      "fathom.maxTokens": 512,
      "explorer.autoReveal": false,
      // What is typed is what stands there.
      "editor.autoClosingQuotes": "never",
    },
    prepare: (folder) => {
      writeFileSync(path.join(folder, probeFile), "");
      fillWorkspace(folder);
      writeFileSync(path.join(folder, "long.py"), longCode);
      for (const seed of [1, 2, 3]) {
        const file = path.join(folder, `large-${seed}.fathom.json`);
        writeFileSync(file, JSON.stringify(largeReport(seed), null, 2));
      }
      writeFileSync(path.join(folder, "pre-ln", "trainer_state.json"), trainerState(60_000));
      writeSparseCheckpoint(path.join(folder, "huge"), 2 ** 30);
    },
  });
  probe = await Probe.in(workbench.folder);
});
afterAll(async () => {
  await workbench.close();
});

describe("the extension host is not held up", () => {
  beforeEach(async ({ task }) => {
    if (task.name !== "by the start in a large workspace") return probe.start();
    // What the start took is what this one looks at: the window's own, or that of a new one.
    if ((task.result?.retryCount ?? 0) > 0) {
      writeFileSync(path.join(workbench.folder, probeFile), "");
      await workbench.reload();
      probe = await Probe.in(workbench.folder);
    }
  });
  afterEach(async ({ task }) => {
    const turns = await probe.turns();
    console.log(`${task.name}: ${described(turns.slice(0, 2))}`);
    const most = task.name.includes("long Python file") ? lensLimit : limit;
    const tooLong = turns.filter(({ ownMs }) => ownMs >= most);
    expect(tooLong, described(tooLong)).toEqual([]);
  });

  test("by the start in a large workspace", async () => {
    await workbench.page.locator('.activitybar .action-label[aria-label="Fathom"]').click();
    await workbench.page.locator(".customview-tree .monaco-list-row").first().waitFor();
    await workbench.page.waitForTimeout(3000);
    await workbench.page.locator('.activitybar .action-label[aria-label^="Explorer"]').click();
  });

  test("by a diagnosis with its panel", async () => {
    await workbench.diagnose("pre-ln", step);
    await workbench.panel.reaches("done");
    await closeEditors();
  });

  test("by the lenses of a long Python file that is opened and edited", async () => {
    await workbench.openFile("long.py");
    const lenses = workbench.page.locator(".codelens-decoration a:visible");
    // The editor draws only what is in sight.
    await workbench.goToLine("long.py", /= \w+Norm\(/.exec(longCode)![0]);
    await expect.poll(() => lenses.count(), { timeout: 30_000 }).toBeGreaterThan(0);
    await workbench.goToLine("long.py", longCode.slice(0, longCode.indexOf("\n")));
    for (let line = 0; line < 5; line++) {
      await workbench.page.keyboard.type("# a remark");
      await workbench.page.keyboard.press("Enter");
      await workbench.page.waitForTimeout(500);
    }
    await workbench.page.keyboard.press("ControlOrMeta+s");
    await closeEditors();
  });

  test("by a long Python file in which a string has no end", async () => {
    await workbench.openFile("long.py");
    await workbench.goToLine("long.py", longCode.slice(0, longCode.indexOf("\n")));
    for (const keys of ['"""', "a", "b", "c"]) {
      await workbench.page.keyboard.type(keys);
      await workbench.page.waitForTimeout(1000);
    }
    await workbench.command("File: Revert File");
    await closeEditors();
  });

  test("by LayerNorm Scaling of a long Python file", async () => {
    await workbench.openFile("long.py");
    await workbench.goToLine("long.py", /= \w+Norm\(/.exec(longCode)![0]);
    await workbench.command("Apply LayerNorm Scaling");
    // It is refused or applied: either way all of the code has been followed.
    const scaled = workbench.page.locator(".view-line", { hasText: "self.ln_scale" });
    const refused = workbench.notification(/LayerNorm Scaling was not applied/);
    await scaled.or(refused).first().waitFor({ timeout: 60_000 });
    await workbench.screenshot("scaling-long");
    await workbench.command("File: Revert File");
    await closeEditors();
  });

  test("by a report of 126 layers and 1000 documents", async () => {
    await workbench.openFile("large-1.fathom.json");
    await workbench.panel.rows().nth(125).waitFor({ state: "attached", timeout: 60_000 });
  });

  test.each(["JSON", "HTML", "CSV"])("by its export as %s", async (format) => {
    await workbench.panel.button(format).click();
    const file = workbench.exportPath(`fathom-report.${format.toLowerCase()}`);
    await workbench.saveAs(file);
    await workbench.statusLine(`Exported to ${file}`).waitFor({ timeout: 30_000 });
  });

  test("by a comparison of three such reports, and its export", async () => {
    await closeEditors();
    const rows: Locator[] = [];
    for (const seed of [1, 2, 3]) rows.push(await workbench.reach(`large-${seed}.fathom.json`));
    await rows[0]!.click();
    for (const row of rows.slice(1)) await row.click({ modifiers: ["ControlOrMeta"] });
    await workbench.choose(rows[2]!, "Compare Depth");
    await workbench.tab("Compare large-1").waitFor();
    await workbench.panel.find("tr[data-layer]").nth(125).waitFor({ state: "attached" });
    const file = workbench.exportPath("fathom-comparison.html");
    await workbench.panel.button("HTML").click();
    await workbench.saveAs(file);
    await workbench.statusLine(`Exported to ${file}`).waitFor({ timeout: 60_000 });
  });

  test("by a run with a long trainer_state.json", async () => {
    await closeEditors();
    await workbench.choose(workbench.row("pre-ln"), "Diagnose Run");
    await expect
      .poll(() => workbench.panel.status().textContent(), { timeout: 150_000 })
      .toMatch(/^\d checkpoints measured$/);
    const legend = workbench.panel.find("figure.chart").first().locator(".legend");
    await expect.poll(() => legend.textContent()).toContain("loss (trainer_state.json)");
  });

  test("by a checkpoint of a gibibyte that is read for its fingerprint", async () => {
    await closeEditors();
    await workbench.diagnose("huge");
    await workbench.panel.reaches("failed");
  });
});

/** One panel at a time: a page is found by being the only one. */
async function closeEditors(): Promise<void> {
  await workbench.command("View: Close All Editors");
}

function described(turns: readonly Turn[]): string {
  if (turns.length === 0) return "no turn of ten milliseconds";
  return turns
    .map(({ ownMs, cpuMs, wallMs, functions }) =>
      [
        `${ownMs.toFixed(0)} ms of Fathom in a turn of ${cpuMs.toFixed(0)} ms (${wallMs.toFixed(0)} ms by the clock)`,
        ...functions,
      ].join("\n    "),
    )
    .join("\n  ");
}

/** 1,000 checkpoints of few bytes and 10,000 files, some of them ignored by git. */
function fillWorkspace(folder: string): void {
  for (let n = 0; n < 1000; n++) {
    const checkpoint = path.join(folder, "sweep", `run-${n}`, "checkpoint-1000");
    mkdirSync(checkpoint, { recursive: true });
    cpSync(
      path.join(repository, "media", "sample", "pre-ln", step, "config.json"),
      path.join(checkpoint, "config.json"),
    );
    writeFileSync(path.join(checkpoint, "model.safetensors"), "\x02\0\0\0\0\0\0\0{}");
    for (let shard = 0; shard < 8; shard++) {
      writeFileSync(path.join(folder, "sweep", `run-${n}`, `data-${shard}.txt`), "");
    }
  }
  mkdirSync(path.join(folder, ".git"));
  writeFileSync(path.join(folder, ".gitignore"), "sweep/run-1*/\n*.bin\n");
}

/** As long as a report can be: with the figures of each document. */
function largeReport(seed: number): Report {
  const [layers, documents] = [126, 1000];
  const random = randomFrom(seed);
  const figures = (): number[] => Array.from({ length: documents }, () => 8 * random() ** 4);
  const report = sampleReport({ layers, seed });
  return {
    ...report,
    evaluation: { ...report.evaluation, documents, plannedDocuments: documents },
    documents: {
      tokens: Array.from({ length: documents }, () => 256),
      predictions: Array.from({ length: documents }, () => 255),
      nll: figures(),
      layers: Array.from({ length: layers }, () => ({
        outputVariance: figures(),
        squaredIdentityDistance: figures(),
        deltaNll: figures(),
      })),
    },
  };
}

/** Lehmer's generator: the same numbers between 0 and 1 each time. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
}

/** What Hugging Face's trainer writes; about 150 bytes for each logged step. */
function trainerState(steps: number): string {
  const log = Array.from({ length: steps }, (_, at) => ({
    epoch: at / 1000,
    grad_norm: 1.2345678901234567,
    learning_rate: 0.0002999999,
    loss: 2 + 8 / (1 + at / 1000) + Math.sin(at) / 10,
    step: at,
  }));
  return JSON.stringify({ global_step: steps, log_history: log, max_steps: steps }, null, 2);
}

/** A checkpoint whose weights are a hole in the disk: it takes no room, and is read all the same. */
function writeSparseCheckpoint(folder: string, bytes: number): void {
  mkdirSync(folder);
  cpSync(
    path.join(repository, "media", "sample", "pre-ln", step, "config.json"),
    path.join(folder, "config.json"),
  );
  const tensor = { dtype: "F32", shape: [bytes / 4], data_offsets: [0, bytes] };
  const header = Buffer.from(JSON.stringify({ "model.embed_tokens.weight": tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(path.join(folder, "model.safetensors"), "w");
  writeSync(file, Buffer.concat([length, header]));
  ftruncateSync(file, 8 + header.length + bytes);
  closeSync(file);
}
