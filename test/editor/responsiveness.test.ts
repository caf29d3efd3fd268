/**
 * The extension host is one thread for all extensions: what Fathom does there at a stretch, every
 * other extension waits for. A probe in the same host measures each turn of the event loop in
 * processor time, so that what else runs on the machine does not count.
 */
import {
  copyFileSync,
  cpSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import type { Locator } from "playwright-core";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Report } from "../../src/diagnosis/report";
import { sampleReport } from "../unit/report/sampleReport";
import { longFile } from "../unit/python/support/longFile";
import { tools } from "../../src/host/ids";
import { Probe, probeFile, type Turn } from "./support/probe";
import { SidePage } from "./support/sidePage";
import { lastStep, repository, thorough, Workbench } from "./support/workbench";

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
      "fathom.watch.settleSeconds": 1,
      "fathom.watch.minNeededShare": 0,
      "explorer.autoReveal": false,
      // What is typed is what stands there.
      "editor.autoClosingQuotes": "never",
    },
    prepare: (folder) => {
      writeFileSync(path.join(folder, probeFile), "");
      fillWorkspace(folder);
      writeFileSync(path.join(folder, "long.py"), longCode);
      const layerLines = Array.from({ length: 16 }, (_, n) => `h${n} = model.layers[${n}].mlp\n`);
      writeFileSync(path.join(folder, "cursor.py"), layerLines.join(""));
      for (const seed of [1, 2, 3]) {
        const file = path.join(folder, `large-${seed}.fathom.json`);
        writeFileSync(file, JSON.stringify(largeReport(seed), null, 2));
      }
      writeFileSync(path.join(folder, "pre-ln", "trainer_state.json"), trainerState(60_000));
      // What was measured of a checkpoint is known of its copy.
      cpSync(path.join(folder, "pre-ln"), path.join(folder, "copy"), { recursive: true });
      writeReports(path.join(folder, "reports"), path.join(folder, "large-1.fathom.json"));
      writeSparseCheckpoint(path.join(folder, "huge"), 2 ** 30);
    },
  });
  probe = await Probe.in(workbench.folder);
});

describe("the extension host is not held up", thorough, () => {
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

  test("by a tree of two hundred report files, some of them large, and one that changes", async () => {
    const side = new SidePage(workbench.page);
    await side.open();
    await side.rows().first().click();
    // The last of them is the last to be read.
    const last = side.row(/^reports\/199/);
    await expect
      .poll(
        async () => {
          await workbench.page.keyboard.press("End");
          return last.textContent({ timeout: 1000 }).catch(() => "");
        },
        { timeout: 150_000 },
      )
      .toMatch(/ of 48 needed$/);
    await workbench.screenshot("tree-of-reports");
    copyFileSync(
      path.join(workbench.folder, "large-2.fathom.json"),
      path.join(workbench.folder, "reports", "199.fathom.json"),
    );
    await expect.poll(() => last.textContent(), { timeout: 60_000 }).toMatch(/ of 126 needed$/);
    await workbench.command("Fathom: Refresh Checkpoints");
    await workbench.page.waitForTimeout(3000);
    await workbench.page.locator('.activitybar .action-label[aria-label^="Explorer"]').click();
  });

  test("by a diagnosis with its panel", async () => {
    await workbench.diagnose("pre-ln", step);
    await workbench.panel.reaches("done");
    await closeEditors();
  });

  test("by the side panel that follows the cursor", async () => {
    const { page } = workbench;
    await workbench.openFile("cursor.py");
    await new SidePage(page).open();
    await workbench.goToLine("cursor.py", "model.layers[0]");
    // Its page, shown for the second time, has lost the mark of a view; there is no other.
    const view = page.frameLocator("iframe.webview.ready").frameLocator("#active-frame");
    const layer = view.locator(".layer-line");
    await expect.poll(() => layer.textContent(), { timeout: 60_000 }).toMatch(/^Layer 0 · /);
    for (let line = 1; line < 16; line++) {
      await page.keyboard.press("ArrowDown");
      await page.waitForTimeout(50);
    }
    await expect.poll(() => layer.textContent()).toMatch(/^Layer 15 · /);
    await workbench.screenshot("cursor-followed");
    await page.locator('.activitybar .action-label[aria-label^="Explorer"]').click();
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

  test("by two runs in one panel", async () => {
    await closeEditors();
    await workbench.row("pre-ln").click();
    await workbench.row("copy").click({ modifiers: ["ControlOrMeta"] });
    await workbench.choose(workbench.row("copy"), "Compare Runs");
    await expect
      .poll(() => workbench.panel.status().textContent(), { timeout: 150_000 })
      .toMatch(
        /^(?:pre-ln|copy): \d checkpoints measured\n(?:pre-ln|copy): \d checkpoints measured$/,
      );
  });

  test("by a run that is watched", async () => {
    await closeEditors();
    await workbench.row("copy").click();
    await workbench.choose(workbench.row("copy"), "Watch Run");
    const { panel } = workbench;
    await panel.find(".run-status").filter({ hasText: "watching" }).waitFor();
    workbench.writeCheckpoint("pre-ln", "../copy/step-9999");
    const row = panel.find(".run-tables table").first().locator('tr:has(th:text-is("9,999"))');
    await row.locator("td:not(.absent)").nth(5).waitFor({ timeout: 150_000 });
    await workbench.command("Fathom: Stop Watching Run");
  });

  test("by the language-model tool that reads a large report and recalls a checkpoint", async () => {
    await closeEditors();
    const { text } = await probe.ask(tools.depth, { path: "large-3.fathom.json" });
    expect(text).toContain("| 125 |");
    const measured = await probe.ask(tools.depth, { path: `pre-ln/${step}` });
    expect(measured.text).toContain("| 15 |");
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

/** Two hundred reports, every twentieth of them a large one. */
function writeReports(folder: string, large: string): void {
  mkdirSync(folder);
  for (let n = 0; n < 200; n++) {
    const file = path.join(folder, `${n}.fathom.json`);
    if (n % 20 === 0) linkSync(large, file);
    else writeFileSync(file, JSON.stringify(sampleReport({ layers: 48, seed: n })));
  }
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
