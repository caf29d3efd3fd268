/**
 * The panel as the bundle draws it, in a real browser under its content-security policy: as the
 * exported file from disk, and as a webview whose editor this test plays. Skipped where there is no
 * Chromium.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { NormSummary } from "../../../src/diagnosis/report";
import type { PanelSource, PanelState, PanelToHost } from "../../../src/protocol/messages";
import { reportCsv } from "../../../src/report/csv";
import { reportHtml } from "../../../src/report/html";
import { sampleReport, withCrossAttention } from "../report/sampleReport";
import { browserPath, bundlePages, launchBrowser } from "../support/pages";

describe.skipIf(browserPath === undefined)("the panel in a browser", () => {
  const report = sampleReport({ layers: 32 });
  let browser: Browser;
  let folder: string;
  let assets: { script: string; style: string };
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "fathom-panel-"));
    assets = (await bundlePages(folder, ["panel"]))("panel");
    browser = await launchBrowser();
  });

  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });

  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(html: string, fileName: string): Promise<void> {
    const file = path.join(folder, fileName);
    writeFileSync(file, html);
    page = await browser.newPage({ viewport: { width: 600, height: 900 } });
    complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() !== "log") complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!/^(?:file|data|blob):/.test(request.url())) complaints.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
  }

  const openFile = () => open(reportHtml(report, assets), "report.html");

  /** The exported page with an editor's API in place of its data: the same policy, the same bundle. */
  async function openWebview(): Promise<void> {
    const editor = `
      let saved;
      window.posted = [];
      window.acquireVsCodeApi = () => ({
        postMessage: (message) => { window.posted.push(message); },
        getState: () => saved,
        setState: (state) => { window.saved = saved = state; },
      });
    `;
    await open(reportHtml(report, { ...assets, script: editor + assets.script }), "webview.html");
  }

  async function show(state: PanelState, source?: PanelSource): Promise<void> {
    const message = { type: "state", state, source };
    await page.evaluate(`window.postMessage(${JSON.stringify(message)}, "*")`);
    await page.locator("h1", { hasText: state.name }).waitFor();
    // Drawn on the next frame.
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))");
  }

  const posted = () => page.evaluate<PanelToHost[]>("window.posted");
  const rows = () => page.locator("tbody tr");
  const layerColumn = () => page.locator("tbody tr > th").allTextContents();

  async function goToNorm(norm: NormSummary): Promise<void> {
    await page.evaluate(`window.postMessage(${JSON.stringify({ type: "norm", norm })}, "*")`);
    await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))");
  }

  describe("as an exported file", () => {
    it("shows checkpoint, verdict, charts, table and how it was measured", async () => {
      await openFile();
      await expect(page.locator("h1").textContent()).resolves.toBe("llama-1b-pre-ln");
      const sentences = await page.locator(".sentences p").allTextContents();
      expect(sentences).toEqual(report.findings.slice(0, 3).map((finding) => finding.text));
      await expect(page.locator("canvas").count()).resolves.toBe(3);
      await expect(rows().count()).resolves.toBe(32);
      await expect(page.locator(".measurement").textContent()).resolves.toContain(
        "48 documents, 24,576 tokens of default text",
      );
    });

    it("says what the estimates of images are over", async () => {
      const evaluation = { ...report.evaluation, input: "images", objective: "class" } as const;
      await open(reportHtml({ ...report, evaluation }, assets), "images.html");
      const words = await page.locator(".measurement").textContent();
      expect(words).toContain("per image for the Jacobian");
      expect(words).toContain("95% intervals over images");
      expect(words).not.toContain("document");
    });

    it("highlights the layer under the pointer in every chart and the table", async () => {
      await openFile();
      const plot = (await page.locator("canvas").nth(1).boundingBox())!;
      // Layer 16 of 0–31 lies a hair right of the middle of the plot, which starts at 54.
      await page.mouse.move(plot.x + 54 + ((plot.width - 64) * 16.5) / 32, plot.y + 60);
      await expect(page.locator("tr.highlighted th").allTextContents()).resolves.toEqual(["16"]);
      await expect(page.locator(".layer-line").textContent()).resolves.toContain("model.layers.16");
      const readouts = await page.locator(".chart-readout").allTextContents();
      expect(readouts[0]).toMatch(/^σ² /);
      expect(readouts[1]).toMatch(/^‖J − I‖/);
      expect(readouts[2]).toMatch(/^Removing layer 16 costs .* Δ perplexity /);
    });

    it("is moved through with the keyboard, and says where it is", async () => {
      await openFile();
      const chart = page.locator("canvas").first();
      await chart.focus();
      for (const key of ["ArrowRight", "ArrowRight", "End", "ArrowLeft"])
        await page.keyboard.press(key);
      await expect(page.locator("tr.highlighted th").textContent()).resolves.toBe("30");
      await expect(chart.getAttribute("aria-valuenow")).resolves.toBe("30");
      await expect(chart.getAttribute("aria-valuetext")).resolves.toMatch(
        /^Layer 30: σ² .*, free$/,
      );
      await page.keyboard.press("Escape");
      await expect(page.locator("tr.highlighted").count()).resolves.toBe(0);
    });

    it("sorts the table by a column, both ways", async () => {
      await openFile();
      const head = page.getByRole("button", { name: "ΔNLL", exact: true });
      await head.click();
      await page.locator("th[aria-sort=descending]").waitFor();
      await expect.poll(async () => (await layerColumn())[0]).toBe("0");
      await head.click();
      await page.locator("th[aria-sort=ascending]").waitFor();
      const byCost = report.layers.toSorted((a, b) => a.pruning!.deltaNll - b.pruning!.deltaNll);
      await expect.poll(layerColumn).toEqual(byCost.map((layer) => String(layer.index)));
    });

    it("zooms every chart at once and back", async () => {
      await openFile();
      const plot = (await page.locator("canvas").nth(0).boundingBox())!;
      await page.mouse.move(plot.x + 200, plot.y + 50);
      await page.mouse.down();
      await page.mouse.move(plot.x + 330, plot.y + 70, { steps: 4 });
      await page.mouse.up();
      const whole = page.locator("vscode-button", { hasText: "Show all layers" });
      await whole.click();
      await whole.waitFor({ state: "hidden" });
    });

    it("saves CSV and a picture without an editor", async () => {
      await openFile();
      const save = async (label: string) => {
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.locator("vscode-button", { hasText: label }).click(),
        ]);
        return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
      };
      const csv = await save("CSV");
      expect(csv.name).toBe("llama-1b-pre-ln.csv");
      expect(csv.bytes.toString("utf8")).toBe(reportCsv(report));
      const png = await save("PNG");
      expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
      expect(png.bytes.readUInt32BE(16)).toBe(2400);
    });

    it("has nothing that can run or stop", async () => {
      await openFile();
      for (const label of ["Run again", "Cancel", "HTML"])
        await expect(
          page.locator("vscode-button:visible", { hasText: label }).count(),
        ).resolves.toBe(0);
    });
  });

  describe("as a webview", () => {
    const name = "llama-1b-pre-ln";
    const progress = {
      stage: "layer",
      layer: 7,
      layers: 32,
      batch: 1,
      batches: 3,
      fraction: 0.07,
      remainingSeconds: 131,
    } as const;
    const partial = sampleReport({ layers: 32, measured: 7, pruning: false });

    it("asks for its state once it can show it", async () => {
      await openWebview();
      expect(await posted()).toEqual([{ type: "ready" }]);
    });

    it("goes to a norm of the report: its line, its chart, its removal, and back", async () => {
      await openWebview();
      await show({ phase: "done", name, report, notices: [] });
      const line = page.locator(".norm-line");
      await expect(line.isVisible()).resolves.toBe(false);
      await page.locator("tbody tr").last().scrollIntoViewIfNeeded();
      await goToNorm({
        path: "model.layers.*.input_layernorm",
        feeds: "attention",
        place: "before",
      });
      await expect(line.locator("p").textContent()).resolves.toBe(
        "model.layers.*.input_layernorm · before the attention of every layer, 0 to 31",
      );
      const plot = (await page.locator("canvas").first().boundingBox())!;
      expect(plot.y).toBeGreaterThan(0);
      expect(plot.y + plot.height).toBeLessThan(900);
      await expect(
        page.evaluate("document.activeElement === document.querySelector('.norm-line p')"),
      ).resolves.toBe(true);
      const attention = page.getByRole("radio", { name: "Attention only" });
      await expect(attention.isChecked()).resolves.toBe(true);
      await page.screenshot({ path: "out/screenshots/panel-norm.png" });
      await expect(page.evaluate("window.saved.navigation")).resolves.toMatchObject({
        norm: { feeds: "attention" },
      });

      // Of another model: the report on show has no such norm.
      await show({
        phase: "done",
        name,
        report: { ...report, architecture: { ...report.architecture, norms: [] } },
        notices: [],
      });
      await expect(line.isVisible()).resolves.toBe(false);
      await show({ phase: "done", name, report, notices: [] });
      await line.getByText("Dismiss").click();
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => done()))");
      await expect(line.isVisible()).resolves.toBe(false);
      await expect(attention.isChecked()).resolves.toBe(true);
    });

    it("chooses the layer that alone has the norm, and says so", async () => {
      await openWebview();
      const path = "model.layers.9.norm";
      const norms = [{ path, feeds: "feedForward" as const, place: "before" as const }];
      const architecture = { ...report.architecture, norms };
      await show({ phase: "done", name, report: { ...report, architecture }, notices: [] });
      await goToNorm(norms[0]!);
      await expect(page.locator("tr.highlighted th").allTextContents()).resolves.toEqual(["9"]);
      await expect(page.locator(".norm-line p").textContent()).resolves.toBe(
        `${path} · before the feed-forward of layer 9`,
      );
      expect(await posted()).toContainEqual({ type: "layer", layer: 9 });
    });

    it("fills in layer by layer without moving", async () => {
      await openWebview();
      await show({ phase: "running", name, progress, notices: [] });
      await expect(rows().count()).resolves.toBe(32);
      await expect(page.locator(".plot-empty").first().textContent()).resolves.toBe(
        "Not measured yet",
      );
      const places = () =>
        page.locator(".plot").evaluateAll((plots) => plots.map((plot) => plot.offsetTop));
      const before = await places();
      await show({ phase: "running", name, progress, report: partial, notices: [] });
      expect(await places()).toEqual(before);
      await expect(page.locator(".plot-empty").allTextContents()).resolves.toEqual([
        "",
        "",
        "Not measured yet",
      ]);
      await expect(rows().nth(6).locator("td").nth(4).textContent()).resolves.toContain("±");
      await expect(rows().nth(7).locator("td").nth(4).textContent()).resolves.toContain(
        "not measured",
      );
      await expect(page.locator(".run-status").textContent()).resolves.toBe(
        "Layer 7 (8 of 32) · batch 1 of 3 · about 2 min left",
      );
    });

    it("cancels, finishes and runs again", async () => {
      await openWebview();
      await show({ phase: "running", name, progress, report: partial, notices: [] });
      await page.locator("vscode-button", { hasText: "Stop and keep what is measured" }).click();
      await page.locator("vscode-button", { hasText: "Cancel" }).click();
      const failure = { reason: "killed", message: "Memory ran out" } as const;
      await show({ phase: "failed", name, failure, report: partial, notices: [] });
      await expect(page.locator(".run-status").textContent()).resolves.toBe(
        "Memory ran out. What was measured until then stands below.",
      );
      await page.locator("vscode-button", { hasText: "Run again" }).click();
      await page.locator("vscode-button", { hasText: "JSON" }).click();
      expect(await posted()).toEqual([
        { type: "ready" },
        { type: "finish" },
        { type: "cancel" },
        { type: "runAgain" },
        { type: "export", format: "json" },
      ]);
    });

    it("leads to the setting of token ids where the tokenizer is lacking, and only there", async () => {
      await openWebview();
      const choose = page.locator("vscode-button", { hasText: "Choose a file of token ids" });
      const failure = { reason: "usage", message: "Holds no tokenizer." } as const;
      await show({ phase: "failed", name, failure, notices: [] });
      await expect(choose.isVisible()).resolves.toBe(false);
      await show({
        phase: "failed",
        name,
        failure: { ...failure, lacks: "tokenizer" },
        notices: [],
      });
      await choose.click();
      expect(await posted()).toEqual([{ type: "ready" }, { type: "chooseTokens" }]);
    });

    it("calls what a person ended neither a failure nor the last word", async () => {
      await openWebview();
      const failure = { reason: "interrupted", message: "The diagnosis was cancelled." } as const;
      const first = { ...report.findings[0]!, text: "Variance grows." };
      const early = { ...sampleReport({ layers: 32, measured: 7, pruning: false }) };
      early.findings = [first];
      await show({ phase: "running", name, progress, report: early, notices: [] });
      const introduction = "So far, from 16 of 48 documents and 7 of 32 layers:";
      await expect(page.locator(".introduction").textContent()).resolves.toBe(introduction);
      await show({ phase: "failed", name, failure, report: early, notices: [] });
      await expect(page.locator(".run-status").textContent()).resolves.toBe(
        "Cancelled after layer 6.",
      );
      await expect(page.locator(".run-head").isVisible()).resolves.toBe(false);
      await expect(page.locator("[role=status]").textContent()).resolves.toBe(
        `Cancelled after layer 6. ${introduction} Variance grows.`,
      );
      await show({ phase: "running", name, progress, notices: [] });
      await show({ phase: "failed", name, failure, report, isEarlier: true, notices: [] });
      await expect(page.locator(".run-status").textContent()).resolves.toBe(
        "Cancelled. The report of the earlier run stands below.",
      );
      await expect(page.locator(".introduction").count()).resolves.toBe(0);
    });

    it("shows a checkpoint that cannot be diagnosed as one message and nothing empty", async () => {
      await openWebview();
      const failure = { reason: "checkpoint", message: "config.json: no." } as const;
      await show({ phase: "failed", name, failure, notices: [] });
      await expect(page.locator(".run-head").textContent()).resolves.toBe(
        "This checkpoint cannot be diagnosed.",
      );
      await expect(page.locator(".run-status").textContent()).resolves.toBe("config.json: no.");
      for (const part of [".verdict", ".charts", ".layer-table", ".measurement"])
        await expect(page.locator(part).isVisible(), part).resolves.toBe(false);
      const runAgain = page.locator("vscode-button", { hasText: "Run again" });
      await expect(runAgain.getAttribute("appearance")).resolves.toBe("secondary");
      // The next run has its charts back.
      await show({ phase: "running", name, progress, report: partial, notices: [] });
      await expect(page.locator("canvas").first().isVisible()).resolves.toBe(true);
    });

    it("offers attention and feed-forward only where they were measured, else says how", async () => {
      await openWebview();
      const evaluation = { ...report.evaluation, metrics: ["variance", "pruning"] as const };
      const without = {
        ...report,
        evaluation: { ...evaluation, metrics: [...evaluation.metrics] },
      };
      await show({ phase: "done", name, report: without, notices: [] });
      const hint = "Add sublayers under Settings → Fathom → Metrics and run again";
      for (const label of ["Attention only", "Feed-forward only"]) {
        const input = page.getByLabel(label, { exact: true });
        await expect(input.isDisabled()).resolves.toBe(true);
        await expect(input.getAttribute("aria-description")).resolves.toBe(hint);
      }
      await expect(page.getByText(hint).isVisible()).resolves.toBe(true);
      await expect(page.getByText("ΔNLL attention").count()).resolves.toBe(0);
      await show({ phase: "done", name, report, notices: [] });
      await expect(page.getByLabel("Attention only", { exact: true }).isDisabled()).resolves.toBe(
        false,
      );
      await expect(page.getByText(hint).isVisible()).resolves.toBe(false);
    });

    it("shows what cross-attention is worth where layers have it, and nowhere else", async () => {
      await openWebview();
      await show({ phase: "done", name, report, notices: [] });
      const choice = page.getByText("Cross-attention only");
      const column = page.getByText("ΔNLL cross-attention");
      await expect(choice.isVisible()).resolves.toBe(false);
      await expect(column.count()).resolves.toBe(0);
      await show({ phase: "done", name, report: withCrossAttention(report), notices: [] });
      await expect(column.count()).resolves.toBe(1);
      await page.getByRole("radio", { name: "Cross-attention only" }).check();
      await page.getByText("ΔNLL without the layer’s cross-attention").first().waitFor();
      await expect(page.getByText("layers of the decoder").first().isVisible()).resolves.toBe(true);
      await page.screenshot({ path: "out/screenshots/panel-cross-attention.png", fullPage: true });
      // The choice does not outlive the part.
      await show({ phase: "done", name, report, notices: [] });
      await expect(page.getByLabel("Whole layer").isChecked()).resolves.toBe(true);
    });

    it.each([220, 260, 300, 480, 620])("has nothing cut off at a width of %d px", async (width) => {
      await openWebview();
      await page.setViewportSize({ width, height: 900 });
      const overflowing = () =>
        page.evaluate<string[]>(`[...document.querySelectorAll("main *")]
          .filter((node) => !node.closest(".table-scroller") && !node.closest(".sr-only"))
          .filter((node) => node.getBoundingClientRect().right > innerWidth + 0.5 ||
            (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0))
          .map((node) => node.tagName + "." + (node.getAttribute("class") ?? ""))`);
      await show({ phase: "running", name, progress, report: partial, notices: [] });
      expect(await overflowing()).toEqual([]);
      await show({ phase: "done", name, report, notices: [] });
      await page.locator("canvas").last().focus();
      await page.keyboard.press("End");
      expect(await overflowing()).toEqual([]);
      await show({ phase: "done", name, report: withCrossAttention(report), notices: [] });
      expect(await overflowing()).toEqual([]);
    });

    it("says stages and the end to those who listen, not every layer", async () => {
      await openWebview();
      const said = () => page.locator("[role=status]").textContent();
      await show({
        phase: "running",
        name,
        progress: { stage: "opening", fraction: 0 },
        notices: [],
      });
      expect(await said()).toBe("Opening the checkpoint");
      await show({ phase: "running", name, progress, notices: [] });
      expect(await said()).toBe("Layers");
      await show({ phase: "running", name, progress: { ...progress, layer: 8 }, notices: [] });
      expect(await said()).toBe("Layers");
      await show({ phase: "running", name, progress: { ...progress, fraction: 0.5 }, notices: [] });
      expect(await said()).toBe("50% measured");
      await show({ phase: "done", name, report, notices: [] });
      expect(await said()).toMatch(/^Done\. .*perplexity/);
    });

    it("keeps what was chosen to look at", async () => {
      await openWebview();
      await show({ phase: "done", name, report, notices: [] });
      await page.getByLabel("Feed-forward only").check();
      await page.getByRole("button", { name: "Δ perplexity (%)" }).click();
      await rows().nth(3).click();
      expect(await page.evaluate("window.saved.navigation")).toEqual({
        chart: { part: "feedForward", isPruningLog: true, isJacobianLog: true },
        table: { sort: { column: "cost", descending: true }, allFigures: false },
        layer: expect.any(Number) as number,
      });
    });

    it("keeps what it is to show after a reload, beside what was chosen", async () => {
      await openWebview();
      const source = { checkpoint: "/runs/pre-ln", reportKey: "a".repeat(64) };
      await show({ phase: "done", name, report, notices: [] }, source);
      await rows().nth(3).click();
      const saved = await page.evaluate("window.saved");
      expect(saved).toMatchObject({ source, navigation: { table: { allFigures: false } } });
    });

    it("says from when a stored report is, and offers to measure anew", async () => {
      await openWebview();
      const stored = { kind: "stored", savedAt: "2026-11-22T08:57:00.000Z" } as const;
      const origin = { ...stored, isUnchanged: true };
      await show({ phase: "done", name, report, notices: [], origin });
      expect(await page.locator(".run-status").textContent()).toMatch(
        /^Measured on 2[123] Nov 2026, \d\d:\d\d, in 3 min 14 s; .* are unchanged$/,
      );
      expect(await page.getByText("Run again", { exact: true }).isVisible()).toBe(true);
      await show({ phase: "done", name, report, notices: [], origin: { kind: "file" } });
      expect(await page.locator(".run-status").textContent()).toBe(
        "Report from a file, measured in 3 min 14 s",
      );
      expect(await page.getByText("Run again", { exact: true }).isVisible()).toBe(false);
      expect(await page.getByText("CSV").isVisible()).toBe(true);
    });

    it("says why there is nothing to show, and shows nothing else", async () => {
      await openWebview();
      const reason = "This file cannot be shown as a report. <b>layers</b>: expected a list.";
      await show({ phase: "empty", name, reason, canRun: false, notices: [] });
      expect(await page.locator(".run-status").textContent()).toBe(reason);
      expect(await page.locator("figure.chart").first().isVisible()).toBe(false);
      expect(await page.getByText("Run again", { exact: true }).isVisible()).toBe(false);
      await show({ phase: "empty", name, reason, canRun: true, notices: [] });
      expect(await page.getByText("Run again", { exact: true }).isVisible()).toBe(true);
      await show({ phase: "done", name, report, notices: [] });
      expect(await page.locator("figure.chart").first().isVisible()).toBe(true);
    });

    it("draws its picture when asked, or says why not", async () => {
      await openWebview();
      const ask = (requestId: number) =>
        page.evaluate(`window.postMessage({ type: "renderPng", requestId: ${requestId} }, "*")`);
      await ask(1);
      await expect.poll(posted).toContainEqual({
        type: "png",
        requestId: 1,
        error: "There is nothing to draw yet.",
      });
      await show({ phase: "done", name, report, notices: [] });
      await ask(2);
      await expect.poll(posted).toContainEqual({
        type: "png",
        requestId: 2,
        dataUrl: expect.stringMatching(/^data:image\/png;base64,/) as string,
      });
    });

    it("shows hostile names as text", async () => {
      const hostile = "<img src=x onerror=alert(1)>";
      await openWebview();
      const layers = report.layers.map((layer) => ({ ...layer, path: hostile }));
      await show({
        phase: "done",
        name: hostile,
        report: { ...report, layers },
        notices: [hostile],
      });
      await expect(page.locator("img").count()).resolves.toBe(0);
      await expect(page.locator("h1").textContent()).resolves.toBe(hostile);
    });
  });
});
