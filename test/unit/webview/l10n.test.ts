/**
 * Everything that a person reads comes out of the bundle: under a bundle that puts ⟦…⟧ around every
 * word of its texts, no page and no sentence has a word outside of them but for names, paths, symbols
 * and units. Values within a text are marked by themselves, so that an English word that is put into
 * a translated sentence is found as well.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../../src/diagnosis/report";
import { panelHtml } from "../../../src/host/panelHtml";
import type { Progress } from "../../../src/protocol/messages";
import { compareReports } from "../../../src/report/comparison";
import { comparisonHtml } from "../../../src/report/comparisonHtml";
import { comparisonSentences } from "../../../src/report/comparisonVerdict";
import type { CheckpointDirectory } from "../../../src/report/directory";
import { findingsOf, verdictSentences } from "../../../src/report/findings";
import { pageHtml, reportHtml } from "../../../src/report/html";
import { answerMarkdown } from "../../../src/report/markdown";
import { normText } from "../../../src/report/normPlace";
import { normHover, normLine } from "../../../src/report/normText";
import { progressText } from "../../../src/report/progress";
import { readingText } from "../../../src/report/reading";
import { useTexts } from "../../../src/report/texts";
import { alertsOf } from "../../../src/trainingRun/alerts";
import { pairFindings } from "../../../src/trainingRun/pairFindings";
import { runFindings } from "../../../src/trainingRun/runFindings";
import { runHtml } from "../../../src/trainingRun/runHtml";
import type { RunReport } from "../../../src/trainingRun/runReport";
import { sampleReport } from "../report/sampleReport";
import { browserPath, bundlePages, launchBrowser } from "../support/pages";
import { english, marked, pseudo } from "../support/pseudoLocale";

/** Data of the samples below, as they say it themselves. */
const data = [
  ...["/home/ada/runs/llama-130m-pre-ln", "/home/ada/runs/llama-130m-lns", "/home/ada/other"],
  ...[
    "llama-130m-pre-ln",
    "llama-130m-lns",
    "pre-ln",
    "lns",
    "checkpoint-",
    "run-a",
    "run-b",
    "/home/ada/run-a",
  ],
  ...[
    "model.layers.*.input_layernorm",
    "model.layers.*.post_attention_layernorm",
    "model.norm",
    "safetensors",
    "cpu",
    "default text",
  ],
  ...["default of the family", "config key use_lns", "other text", "first", "second", "third"],
  ...["the tangent overflowed fp32 in 3 of 48 documents", "a sentence of the engine."],
  "The norm scheme is the family's default; the config does not state one.",
  ...["embed.weight", "norm.weight", "head.weight", "layers.0", "BF16", "F32", "m/a."],
  ...["eval_loss", "trainer_state.json", "loss", "heads=4", "norm=post-ln", "act=gelu"],
  // Written alike in every language: families, schemes, formats.
  ...["LLaMA", "Pre-LN", "LayerNorm Scaling", "JSON", "CSV", "PNG", "HTML"],
];

/** Names of quantities, and units. */
const symbols = /ΔNLL|NLL|σ²|‖J ?[−-] ?I‖|‖I‖|R²|\d+ ?(?:[kMGT]?B|k|M)\b|model\.layers\.\d+/gu;

/** The words of a text that are neither out of the bundle nor data nor symbols. */
function bareWords(text: string, more: readonly string[]): string[] {
  let rest = text.replace(/⟦[^⟧]*⟧/gu, "¦").replace(symbols, "¦");
  const known = [...data, ...more].sort((a, b) => b.length - a.length);
  for (const one of known) rest = rest.replaceAll(one, "¦");
  return rest.split("¦").filter((part) => /\p{L}/u.test(part));
}

function expectMarked(texts: readonly string[], more: readonly string[] = []): void {
  expect(texts.length).toBeGreaterThan(0);
  const bare = texts.flatMap((text) => bareWords(text, more));
  expect.soft([...new Set(bare)]).toEqual([]);
}

beforeAll(() => {
  useTexts(pseudo);
});

afterAll(() => {
  useTexts(undefined);
});

const report = sampleReport({ layers: 12 });
const other: Report = {
  ...sampleReport({ layers: 12, scheme: "lns", seed: 7 }),
  growth: undefined!,
};
delete (other as Partial<Report>).growth;
const deeper = sampleReport({ layers: 14, seed: 3 });
deeper.checkpoint.path = "/home/ada/other";
deeper.evaluation = { ...deeper.evaluation, source: "other text", fingerprint: "f".repeat(64) };
const partial = sampleReport({ layers: 12, measured: 5, pruning: false, withoutJacobian: [2] });
for (const { unmeasured = [] } of partial.layers) {
  // As the engine words it, which has the bundle too.
  for (const entry of unmeasured)
    if (english.includes(entry.reason)) entry.reason = marked(entry.reason);
}
const read: Report = {
  ...report,
  architecture: {
    ...report.architecture,
    family: "inferred",
    keyValueHeads: 4,
    reading: {
      source: "inference",
      settled: [{ name: "heads", value: "4", by: "first" }],
      candidates: [
        { settings: { norm: "post-ln", act: "gelu" }, nll: 3.2 },
        { settings: { norm: "pre-ln", act: "gelu" }, nll: 3.4 },
        { settings: { norm: "lns", act: "gelu" }, nll: 3.9, tokens: 512 },
      ],
      margin: 0.2,
      untold: ["act"],
    },
  },
};
const masked: Report = {
  ...read,
  evaluation: { ...read.evaluation, objective: "masked-token", documents: 1, plannedDocuments: 1 },
  architecture: { ...read.architecture, tiedHead: true },
};
const norms = report.architecture.norms!;
const progresses: Progress[] = [
  { stage: "opening", fraction: 0 },
  { stage: "device", fraction: 0 },
  { stage: "embedding", fraction: 0.1, remainingSeconds: 500 },
  {
    stage: "layer",
    layer: 3,
    layers: 12,
    batch: 1,
    batches: 2,
    fraction: 0.3,
    remainingSeconds: 9,
  },
  { stage: "head", fraction: 0.9, remainingSeconds: 9000 },
];
const run: RunReport = {
  schemaVersion: 1,
  folder: "/home/ada/run-a",
  steps: [
    { step: 100, name: "checkpoint-100", report: other },
    { step: 200, name: "checkpoint-200", report },
    { step: 300, name: "checkpoint-300", failure: "a sentence of the engine." },
    { step: 400, name: "checkpoint-400" },
  ],
  losses: [
    {
      name: "eval_loss",
      source: "trainer_state.json",
      kind: "heldOut",
      points: [
        { step: 50, value: 4 },
        { step: 200, value: 3 },
      ],
    },
  ],
  problems: [],
};

describe("sentences", () => {
  it("of the verdict, the comparison and the run come out of the bundle", () => {
    const three = compareReports(
      [
        { name: "first", report },
        { name: "second", report: other },
        { name: "third", report: deeper },
      ],
      0,
    );
    expectMarked(findingsOf(report).map(({ text }) => text));
    expectMarked(comparisonSentences(three));
    expectMarked(three.contrasts.flatMap(({ caveats }) => caveats));
    expectMarked(runFindings(run.steps));
    expectMarked(pairFindings({ name: "run-a", run }, { name: "run-b", run }));
    const rules = { lastLayerVariance: 1e-6, neededShare: 1, deepIdentityDistance: 1e6 };
    expectMarked(alertsOf(report, rules).map(({ text }) => text));
  });

  it("of lens, hover, progress, reading and the assistant's answer do too", () => {
    expectMarked([normLine(report), normHover(report, norms[0]!).replaceAll(/\\|&nbsp;/g, "")]);
    expectMarked(norms.map((norm) => normText(norm, report)!));
    expectMarked([
      ...progresses.map((one) => progressText(one)),
      progressText(progresses[0]!, "first"),
    ]);
    expectMarked(
      [readingText("safetensors", read.architecture.reading!, read.evaluation)],
      ["norm=pre-ln"],
    );
    const measuredHere = { ...read, findings: findingsOf(read) };
    expectMarked(answerMarkdown(measuredHere).replaceAll("\\", "").split("\n"));
  });

  it("of a report in another language are made anew from its figures", () => {
    expectMarked(verdictSentences(report));
    const pseudoReport = { ...report, language: "qps-ploc" };
    const stored = report.findings.filter(({ kind }) => kind !== "notice").map(({ text }) => text);
    expect(verdictSentences(pseudoReport)).toEqual(stored);
  });
});

describe.skipIf(browserPath === undefined)("a page", () => {
  const pages = ["panel", "side", "compare", "directory", "run"] as const;
  type PageName = (typeof pages)[number];
  let browser: Browser;
  let folder: string;
  let assets: (name: PageName) => { script: string; style: string };
  let page: Page;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fathom-l10n-"));
    assets = await bundlePages(folder, pages);
    browser = await launchBrowser();
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(html: string): Promise<void> {
    const file = path.join(folder, "page.html");
    writeFileSync(file, html);
    page = await browser.newPage({ viewport: { width: 900, height: 900 } });
    page.on("pageerror", (error) => {
      throw error;
    });
    await page.addInitScript(listen);
    await page.goto(pathToFileURL(file).href);
    await settled();
  }

  const openWebview = (name: PageName) => {
    const { script, style } = assets(name);
    const content = { title: "", sentences: [], dataId: "none", data: null };
    return open(pageHtml(content, { script: editor + script, style }));
  };

  const settled = () =>
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)))");

  /** @param message an expression, for what JSON cannot say */
  async function tell(message: object | string): Promise<void> {
    const expression = typeof message === "string" ? message : JSON.stringify(message);
    await page.evaluate(`window.postMessage(${expression}, "*")`);
    await settled();
  }

  /** Turns every switch and moves in every chart, and reads the page after each. */
  async function expectAllMarked(): Promise<void> {
    const dates = await page.evaluate<string[]>(`datesOf(${JSON.stringify(savedAt)})`);
    expectMarked(await page.evaluate<string[]>("texts()"), dates);
    const count = await page.evaluate<number>("switches().length");
    for (let at = 0; at < count; at++) {
      await page.evaluate(`press(${at})`);
      await settled();
      expectMarked(await page.evaluate<string[]>("texts()"), dates);
    }
  }

  async function expectMarkedAfter(...messages: (object | string)[]): Promise<void> {
    for (const message of messages) {
      await tell(message);
      expectMarked(await page.evaluate<string[]>("texts()"), [
        ...(await page.evaluate<string[]>(`datesOf(${JSON.stringify(savedAt)})`)),
      ]);
    }
  }

  const name = "llama-130m-pre-ln";
  const savedAt = "2026-11-22T08:57:00.000Z";
  const notices: string[] = [];

  it("of a diagnosis", async () => {
    await openWebview("panel");
    const failure = { reason: "run", message: "a sentence of the engine." };
    const interrupted = { reason: "interrupted", message: "" };
    const states = [
      ...progresses.map((progress) => ({ phase: "running", name, progress, notices })),
      { phase: "running", name, progress: progresses[3], report: partial, notices },
      { phase: "failed", name, failure: interrupted, report: partial, notices },
      { phase: "failed", name, failure: interrupted, notices },
      { phase: "failed", name, failure, report: partial, notices },
      { phase: "failed", name, failure, report, isEarlier: true, notices },
      ...["usage", "checkpoint", "device", "killed"].map((reason) => ({
        phase: "failed",
        name,
        failure: { ...failure, reason, lacks: "tokenizer" },
        notices,
      })),
      { phase: "empty", name, reason: "a sentence of the engine.", canRun: true, notices },
      { phase: "done", name, report, notices, origin: { kind: "file" } },
      { phase: "done", name, report: partial, notices },
      { phase: "done", name, report: masked, notices },
      {
        phase: "done",
        name,
        report,
        notices,
        origin: { kind: "stored", savedAt, isUnchanged: true },
      },
    ];
    await expectMarkedAfter(
      ...states.map((state) => ({ type: "state", state })),
      ...norms.map((norm) => ({ type: "norm", norm })),
      { type: "layer", layer: 3 },
    );
    await expectAllMarked();
    await tell({ type: "renderPng", requestId: 1 });
    expectMarked(await page.evaluate<string[]>("texts()"), [
      ...(await page.evaluate<string[]>(`datesOf(${JSON.stringify(savedAt)})`)),
    ]);
    await page.close();
  });

  it("of the side panel", async () => {
    await openWebview("side");
    const shown = { name, report, isRunning: false, isPinned: false, savedAt };
    await expectMarkedAfter(
      { type: "state", state: { kind: "nothing", checkpoints: "listed" } },
      { type: "state", state: { kind: "nothing", checkpoints: "hidden" } },
      { type: "state", state: { kind: "nothing", checkpoints: "none" } },
      { type: "state", state: { kind: "unmeasured", name } },
      { type: "state", state: { kind: "running", name } },
      {
        type: "state",
        state: { kind: "report", shown: { ...shown, report: partial, isRunning: true } },
      },
      { type: "state", state: { kind: "report", shown } },
      { type: "norm", norm: norms[0] },
      { type: "layer", layer: 3 },
    );
    await expectAllMarked();
    await page.close();
  });

  it("of a comparison", async () => {
    await openWebview("compare");
    const standings = [
      { kind: "ready" },
      { kind: "measuring", doing: "¦" },
      { kind: "failed", reason: "a sentence of the engine." },
      { kind: "waiting" },
    ];
    const status = { phase: "running", fraction: 0.5, standings };
    const source = { targets: [] };
    const some = [
      { name: "first", report },
      { name: "second" },
      { name: "third" },
      { name: "lns" },
    ];
    const all = [
      { name: "first", report },
      { name: "second", report: other },
      { name: "third", report: deeper },
    ];
    const ready = { phase: "done", fraction: 1, standings: all.map(() => ({ kind: "ready" })) };
    const missing = { ...status, standings: standings.map(() => ({ kind: "missing" })) };
    await expectMarkedAfter(
      { type: "reports", compared: some, status, source },
      { type: "status", status: { ...status, phase: "cancelled" } },
      { type: "status", status: { ...missing, phase: "done" } },
      { type: "reports", compared: all, status: ready, source },
    );
    await expectAllMarked();
    await page.close();
  });

  it("of a run", async () => {
    await openWebview("run");
    const status = {
      phase: "running",
      finished: 1,
      planned: 3,
      missing: 2,
      isWatching: true,
      notices,
    };
    const begun = { ...run, steps: run.steps.slice(2), losses: [] };
    const done = { ...status, phase: "done" };
    const alone = [{ name: "run-a", run }];
    const chartIsDescribed = async () => {
      const id = await page.locator("canvas").first().getAttribute("aria-describedby");
      return page.locator(`#${id}`).isVisible();
    };
    const runs = [{ name: "run-a", run: begun }];
    await expectMarkedAfter({ type: "runs", runs, statuses: [status] });
    // The table of losses is not there without a log.
    expect(await chartIsDescribed()).toBe(true);
    await expectMarkedAfter(
      { type: "status", statuses: [{ ...status, measuring: 300, progress: progresses[3] }] },
      { type: "status", statuses: [{ ...status, phase: "cancelled" }] },
      { type: "runs", runs: alone, statuses: [done] },
    );
    expect(await chartIsDescribed()).toBe(true);
    await page.locator(".loss-table summary").click();
    await page.locator(".loss-table tbody tr").first().waitFor();
    await expectAllMarked();
    await expectMarkedAfter(
      { type: "runs", runs: [...alone, { name: "run-b", run: begun }], statuses: [done, status] },
      { type: "runs", runs: [...alone, { name: "run-b", run }], statuses: [done, done] },
    );
    await expectAllMarked();
    await page.close();
  });

  it("of a tensor directory", async () => {
    await openWebview("directory");
    const bytes = `new TextEncoder().encode(${JSON.stringify(JSON.stringify(directory))})`;
    const { layers, hiddenSize, heads, feedForwardSize, vocabularySize } = report.architecture;
    const sizes = { layers, hiddenSize, heads, feedForwardSize, vocabularySize };
    const facts = { family: "llama", scheme: "pre-ln", schemeSource: "default of the family" };
    const architecture = { ...facts, ...sizes, keyValueHeads: 4, contextLength: 2048, notices };
    const memory = { bytes: 3e9, layer: 1e9, streams: 1e9, run: 5e8, engine: 5e8 };
    const time = { seconds: 300, multiplyAdds: 1e15, rate: 1e11, threads: 8 };
    const estimate = { sequences: 16, sequenceLength: 512, memory, time };
    const reason = "a sentence of the engine.";
    await expectMarkedAfter(
      { type: "reading", name, path: "/home/ada/other" },
      `{ type: "directory", directory: ${bytes} }`,
      { type: "outlook", outlook: { kind: "unreadable", reason } },
      {
        type: "outlook",
        outlook: { kind: "readable", architecture, estimate: { refusal: reason } },
      },
      { type: "outlook", outlook: { kind: "readable", architecture, lacksLoss: reason, estimate } },
    );
    await expectAllMarked();
    await page.locator("input.filter").fill("norm");
    await settled();
    expectMarked(await page.evaluate<string[]>("texts()"));
    await expectMarkedAfter({ type: "failed", reason });
    await page.close();
  });

  it("of an exported file, which says its language", async () => {
    const named = [
      { name: "first", report },
      { name: "second", report: other },
    ];
    for (const html of [
      reportHtml(report, assets("panel")),
      comparisonHtml(named, 0, assets("compare")),
      runHtml({ name: "run-a", run }, assets("run")),
    ]) {
      await open(html);
      expect(await page.evaluate("document.documentElement.lang")).toBe("qps-ploc");
      expectMarked(await page.evaluate<string[]>("texts()"));
      await page.close();
    }
  });
});

describe("the page of a webview", () => {
  const page = () => panelHtml({ source: "s", script: "s.js", style: "s.css" });

  it("holds the texts as data that cannot end its element", () => {
    useTexts({ language: "de", bundle: { Layer: "</script><b>Schicht" } });
    expect(page()).toContain('<html lang="de">');
    expect(page()).toContain('{"Layer":"\\u003c/script>\\u003cb>Schicht"}');
    useTexts(pseudo);
  });

  it("holds none in English", () => {
    useTexts(undefined);
    expect(page()).toContain('<html lang="en">');
    expect(page()).not.toContain("application/json");
    useTexts(pseudo);
  });
});

const directory: CheckpointDirectory = {
  format: "safetensors",
  files: ["/m/a.safetensors"],
  bytes: 13_500_000_000,
  tensors: 4,
  parameters: 6_740_000_032,
  types: [
    { dataType: "BF16", parameters: 6_740_000_000, bytes: 13_480_000_000 },
    { dataType: "F32", parameters: 32, bytes: 128 },
  ],
  parts: [
    {
      ...{ kind: "before", prefix: "", parameters: 8, bytes: 16 },
      tensors: [["embed.weight", "BF16", [4, 2], 16, 0]],
    },
    {
      ...{ kind: "layer", prefix: "layers.0.", layer: 0, parameters: 40, bytes: 136 },
      tensors: [
        ["norm.weight", "F32", [], 128, 0],
        ["head.weight", "BF16", [2, 2], 8, 0],
      ],
    },
    {
      ...{ kind: "after", prefix: "", parameters: 8, bytes: 16 },
      tensors: [["head.weight", "BF16", [4, 2], 16, 0]],
    },
  ],
};

/** The editor, as far as a page knows it. */
const editor = `
  let saved;
  window.acquireVsCodeApi = () => ({
    postMessage: () => undefined,
    getState: () => saved,
    setState: (state) => { saved = state; },
  });
`;

/** Runs before the page's own script: takes down what is drawn, and reads what is written. */
const listen = `
  const drawn = [];
  for (const method of ["fillText", "strokeText"]) {
    const draw = CanvasRenderingContext2D.prototype[method];
    CanvasRenderingContext2D.prototype[method] = function (text, ...place) {
      drawn.push(String(text));
      return draw.call(this, text, ...place);
    };
  }
  const spoken = ["aria-label", "title", "aria-valuetext", "aria-description",
    "aria-roledescription", "placeholder"];
  function texts() {
    // Sentences are drawn in lines.
    const found = [drawn.splice(0).join(" ")];
    const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) {
      const { parentElement, data } = nodes.currentNode;
      if (!parentElement.closest("script, style, noscript")) found.push(data);
    }
    for (const node of document.body.querySelectorAll("*"))
      for (const name of spoken)
        // The toolkit names its ring "Loading" where nobody hears it.
        if (node.hasAttribute(name) && !node.closest("[aria-hidden=true]"))
          found.push(node.getAttribute(name));
    return found.filter((text) => text.trim() !== "");
  }
  const kinds = "input[type=radio], vscode-checkbox, button[aria-pressed], .layer-choice button, " +
    "select, canvas, svg[role=slider], .row.part, .exports vscode-button";
  const switches = () => [...document.querySelectorAll(kinds)];
  function press(at) {
    const node = switches()[at];
    if (!node) return;
    if (node.matches("select")) {
      node.selectedIndex = node.options.length - 1;
      node.dispatchEvent(new Event("change"));
    } else if (node.matches("canvas, svg")) {
      node.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    } else {
      node.click();
    }
  }
  function datesOf(time) {
    const date = new Date(time);
    const style = { dateStyle: "medium", timeStyle: "short" };
    return [new Intl.DateTimeFormat("qps-ploc", style).format(date), date.toLocaleString()];
  }
  Object.assign(window, { texts, switches, press, datesOf });
`;
