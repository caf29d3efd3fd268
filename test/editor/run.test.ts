import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, test } from "vitest";
import { exportAll, openExported } from "./support/exports";
import { photograph, themes, useTheme } from "./support/themes";
import { lastStep, quick, repository, thorough, Workbench } from "./support/workbench";

const layers = 16;

let workbench: Workbench;

describe("Diagnose Run", () => {
  test("a run's folder fills the panel step by step", async () => {
    workbench = await Workbench.again("run", { settings: quick });
    const steps = stepsOf("pre-ln");
    const held = workbench.holdNextEngine();
    await workbench.choose(workbench.row("pre-ln"), "Diagnose Run");
    const letGo = await held;
    // It goes on in the background, so it is in nobody's way.
    const progress = workbench.statusLine("Measuring the checkpoints in");
    await progress.filter({ hasText: `Fathom: pre-ln step ${steps[0]}` }).waitFor();
    expect(await workbench.notification("").count()).toBe(0);
    await workbench.statusLine(`step 1 of ${steps.length}`).waitFor();
    const { panel } = workbench;
    await panel.find('.run-bar[data-phase="running"]').waitFor();
    await workbench.screenshot("run-running");
    letGo();
    await progress.filter({ hasText: /, layer \d+ of 16$/ }).waitFor();
    await panel.find('.run-bar[data-phase="done"]').waitFor({ timeout: 150_000 });
    await expect.poll(() => progress.count()).toBe(0);
    await expect
      .poll(() => panel.status().textContent())
      .toBe(`${steps.length} checkpoints measured`);

    // Every step has a row with numbers, and the last layer's variance grew.
    const rows = panel.find(".run-tables table").first().locator("tbody tr");
    expect(await rows.locator("th").allTextContents()).toEqual(
      steps.map((step) => step.toLocaleString("en")),
    );
    expect(await rows.locator(".absent").count()).toBe(0);
    expect(await panel.find(".sentences p").count()).toBeGreaterThanOrEqual(3);

    // The losses of the training stand on the same axis as what was measured.
    const legendOf = (): Locator => panel.find("figure.chart").first().locator(".legend");
    expect(await legendOf().textContent()).toMatch(
      /loss \(training_log\.csv\).*held_out_loss.*measured/,
    );

    // A heat map is read with the keyboard: step by step and layer by layer.
    const heat = panel.find('canvas[aria-roledescription="heat map"]').first();
    const readout = panel.find("figure.chart").nth(1).locator(".chart-readout");
    await heat.focus();
    await workbench.page.keyboard.press("Home");
    await workbench.page.keyboard.press("ArrowUp");
    await expect
      .poll(() => readout.textContent())
      .toMatch(new RegExp(`^Step ${steps[0]}, layer 0: σ² \\d`));
    await workbench.page.keyboard.press("ArrowRight");
    await expect
      .poll(() => readout.textContent())
      .toContain(`Step ${steps[1]!.toLocaleString("en")}`);
    // The step that was chosen is the slider's.
    await expect
      .poll(() => panel.find(".step-section h2").textContent())
      .toBe(`Step ${steps[1]!.toLocaleString("en")}`);
    await workbench.screenshot("run-done");

    // Their chart has its own table: each logged step with what was logged there, and nothing else.
    const losses = panel.find(".loss-table");
    expect(await losses.locator("tbody tr").count()).toBe(0);
    await losses.locator("summary").focus();
    await workbench.page.keyboard.press("Enter");
    const { lines, step, cells } = loggedLosses("pre-ln");
    await expect.poll(() => losses.locator("tbody tr").count()).toBe(lines);
    const logged = losses.locator(`tbody tr:has(th:text-is("${step.toLocaleString("en")}"))`);
    expect((await logged.locator("td").allTextContents()).slice(0, 2)).toEqual(cells);
    await losses.scrollIntoViewIfNeeded();
    await workbench.screenshot("run-losses");
    await losses.locator("summary").click();

    const exported = await exportAll(workbench, "run");
    expect(exported.json).toMatchObject({
      schemaVersion: 1,
      steps: steps.map((step) => ({ step })),
    });
    expect(exported.csv).toHaveLength(1 + steps.length * layers);
    expect(exported.png.width).toBe(2400);
    expect(exported.png.height).toBeGreaterThan(4000);
    const opened = await openExported(workbench, exported.html);
    expect(opened).toMatchObject({ charts: 7, formats: ["JSON", "CSV", "PNG"], requests: [] });
    expect(opened.text).toContain("held_out_loss");
    expect(opened.text).toContain("Loss by step");

    // After a reload it is there again, with the step that was chosen, and nothing is measured.
    await workbench.writesDown(`"step":${steps[1]!}`);
    await workbench.reload();
    await panel.find('.run-bar[data-phase="done"]').waitFor({ timeout: 60_000 });
    await expect
      .poll(() => panel.status().textContent(), { timeout: 30_000 })
      .toBe(`${steps.length} checkpoints measured`);
    await expect
      .poll(() => panel.find(".step-section h2").textContent())
      .toBe(`Step ${steps[1]!.toLocaleString("en")}`);
    expect(await legendOf().textContent()).toContain("held_out_loss");
    expect(await workbench.tab("Run pre-ln").count()).toBe(1);
    expect(await progress.count()).toBe(0);
    await workbench.screenshot("run-reloaded");
    expect(workbench.complaints).toEqual([]);
  }, 300_000);

  test("only folders of several steps are offered it", async () => {
    workbench = await Workbench.again("run", { settings: quick });
    await workbench.openContextMenu(workbench.row("pre-ln"), "Diagnose Run");
    await workbench.page.keyboard.press("Escape");
    const checkpoint = await workbench.reach("pre-ln", lastStep("pre-ln"));
    // What the folder holds is looked up once the explorer shows it.
    await expect.poll(() => workbench.menuTitles(checkpoint)).toContain("Diagnose Depth");
    expect(await workbench.menuTitles(checkpoint)).not.toContain("Diagnose Run");
  });
});

describe("Diagnose Run, thoroughly", thorough, () => {
  test("the palette asks for the two runs to compare", async () => {
    workbench = await Workbench.again("run", { settings: quick });
    await workbench.command("Fathom: Compare Runs");
    await workbench.pick("pre-ln");
    await workbench.pick("lns");
    await bothMeasured();
    expect(await workbench.panel.find("h1").textContent()).toBe("pre-ln · lns");
    expect(workbench.complaints).toEqual([]);
  }, 360_000);

  test("in every theme, narrow and wide", async () => {
    workbench = await Workbench.open("run-themes", { settings: quick });
    await workbench.choose(workbench.row("pre-ln"), "Diagnose Run");
    const { panel } = workbench;
    await panel.find('.run-bar[data-phase="done"]').waitFor({ timeout: 150_000 });
    for (const theme of themes) {
      await useTheme(workbench, theme, quick);
      await photograph(workbench, `run-${theme[0]}`);
    }
    expect(workbench.complaints).toEqual([]);
  }, 300_000);

  test("two runs that are selected are compared in one panel, which comes back after a reload", async () => {
    workbench = await Workbench.open("run-pair", {
      settings: quick,
      size: { width: 1400, height: 1700 },
    });
    const { panel, page } = workbench;
    const steps = stepsOf("pre-ln");
    await workbench.row("pre-ln").click();
    await workbench.row("lns").click({ modifiers: ["ControlOrMeta"] });
    await workbench.choose(workbench.row("lns"), "Compare Runs");
    await bothMeasured();
    expect(await workbench.tab("Run ").count()).toBe(1);
    const names = (await panel.find("h1").textContent())!.split(" · ");
    expect(names.toSorted()).toEqual(["lns", "pre-ln"]);
    await workbench.tab(`Run ${names.join(" · ")}`).waitFor();

    // Each figure over steps has a heat map of each run, under its name, on one scale.
    const figures = panel.find(".charts figure.chart");
    for (const figure of [figures.nth(1), figures.nth(2), figures.nth(3)]) {
      expect(await figure.locator(".pane-name").allTextContents()).toEqual(names);
      expect(await figure.locator('canvas[aria-roledescription="heat map"]').count()).toBe(2);
      expect(await figure.locator(".scale").count()).toBe(1);
    }
    const [loss, variance] = [figures.first(), figures.nth(1)];
    expect(await loss.locator("canvas").count()).toBe(1);
    expect(await loss.locator(".legend > span").count()).toBe(6);

    // The keyboard moves in the second run's heat map, and what both have there is said.
    await variance.locator("canvas").nth(1).focus();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowUp");
    const readout = variance.locator(".chart-readout");
    await expect
      .poll(() => readout.textContent())
      .toMatch(
        new RegExp(
          `^Step ${steps[0]!}, layer 1: ${names[0]!} σ² \\S+ ± .+ · ${names[1]!} σ² \\S+ ± `,
        ),
      );
    expect(await readout.getAttribute("aria-live")).toBe("polite");
    expect(await variance.locator("canvas").nth(1).getAttribute("aria-label")).toMatch(
      new RegExp(`^${names[1]!}\\. Output variance over steps`),
    );

    // The tables have both.
    const tables = panel.find(".run-tables table");
    expect(await tables.first().locator("tbody tr").count()).toBe(2 * steps.length);
    expect(await tables.nth(2).locator(".run-group").allTextContents()).toEqual(names);
    await panel
      .find(".sentences p")
      .filter({ hasText: /a ratio of [\d.]+/ })
      .waitFor();
    await workbench.screenshot("run-pair-heat");
    await panel.find(".segments label").filter({ hasText: "Lines" }).click();
    await panel.find('.layer-choice button[title="Layer 1"]').click();
    await expect
      .poll(() => variance.locator('canvas[aria-roledescription="line chart"]').count())
      .toBe(2);
    await workbench.screenshot("run-pair");

    const exported = await exportAll(workbench, "run");
    expect(exported.json).toMatchObject({ other: { name: names[1]! } });
    expect(exported.csv).toHaveLength(1 + 2 * steps.length * layers);
    const opened = await openExported(workbench, exported.html);
    expect(opened).toMatchObject({ charts: 10, formats: ["JSON", "CSV", "PNG"], requests: [] });

    await workbench.writesDown('"view":"lines"');
    await workbench.reload();
    await bothMeasured();
    await panel.find(".layer-choice button").first().waitFor();
    expect(await variance.locator(".pane-name").allTextContents()).toEqual(names);
    expect(await loss.locator(".legend > span").count()).toBe(6);
    expect(await workbench.notification("Depth over training of").count()).toBe(0);

    // One goes, and comes back through the panel's own button.
    await panel.button("Show this run alone").click();
    await expect.poll(() => panel.find("h1").textContent()).toBe(names[0]);
    expect(await variance.locator("canvas").count()).toBe(1);
    await panel.button("Compare with another run…").click();
    await workbench.pick(names[1]!);
    await bothMeasured();
    expect(await variance.locator("canvas").count()).toBe(2);
    for (const theme of [
      ...themes,
      ["high-contrast-light", "Default High Contrast Light"],
    ] as const) {
      await useTheme(workbench, theme, quick);
      await photograph(workbench, `run-pair-${theme[0]}`);
    }
    expect(workbench.complaints).toEqual([]);
  }, 480_000);
});

describe("Watch Run, thoroughly", thorough, () => {
  test("diagnoses a checkpoint once it is whole, warns once, and stops", async () => {
    workbench = await Workbench.open("watch-run", {
      settings: {
        ...quick,
        "fathom.watch.settleSeconds": 1,
        "fathom.watch.maxLastLayerVariance": 0.001,
      },
    });
    const [first, last] = [stepsOf("pre-ln").at(0)!, stepsOf("pre-ln").at(-1)!];
    await workbench.choose(workbench.row("pre-ln"), "Watch Run");
    const { panel, page, folder } = workbench;
    const item = page.locator(".statusbar-item").filter({ hasText: "Watching pre-ln" });
    await item.waitFor();

    // A checkpoint as training writes it: the folder, half of the weights, the rest, the others.
    const from = path.join(repository, "media", "sample", "pre-ln", `step-${last}`);
    const to = path.join(folder, "pre-ln", "step-999999");
    const weights = readFileSync(path.join(from, "model.safetensors"));
    mkdirSync(to);
    for (const name of readdirSync(from)) {
      if (name !== "model.safetensors") cpSync(path.join(from, name), path.join(to, name));
    }
    const partial = path.join(to, "model.safetensors");
    writeFileSync(partial, weights.subarray(0, weights.length >> 1));
    await page.waitForTimeout(5000);
    const row = panel.find(".run-tables table").first().locator('tr:has(th:text-is("999,999"))');
    expect(await row.count()).toBe(0);
    writeFileSync(`${partial}.tmp`, weights);
    renameSync(`${partial}.tmp`, partial);
    await row.locator("td:not(.absent)").nth(5).waitFor({ timeout: 150_000 });

    const warning = workbench.notification(/the variance after layer \d+ is .*, above 0\.00100/);
    await warning.waitFor();
    expect(await warning.count()).toBe(1);
    // Only what is new was measured.
    await expect
      .poll(() => panel.status().textContent())
      .toMatch(/^1 checkpoint measured · watching/);
    await workbench.screenshot("run-watching");
    expect(await panel.find(".run-tables table").first().textContent()).toContain(String(first));
    expect(workbench.complaints).toEqual([]);

    await workbench.command("Fathom: Stop Watching Run");
    await item.waitFor({ state: "hidden" });
  }, 300_000);

  test("begins with an empty folder, and with the first step is offered", async () => {
    workbench = await Workbench.open("watch-empty", {
      settings: { ...quick, "fathom.watch.settleSeconds": 1, "fathom.watch.minNeededShare": 0 },
    });
    const { page, panel, folder } = workbench;
    mkdirSync(path.join(folder, "fresh"));
    await workbench.command("Fathom: Watch Run");
    await workbench.pick("Browse for a folder of checkpoints…");
    // The dialog fills in where it begins, over what is there.
    await expect.poll(() => workbench.quickInput().inputValue()).toContain(folder);
    await workbench.quickInput().fill(`${path.join(folder, "fresh")}/`);
    await page.locator(".quick-input-widget .monaco-button", { hasText: "Choose" }).click();
    await page.locator(".statusbar-item").filter({ hasText: "Watching fresh" }).waitFor();
    await panel.find(".run-status").filter({ hasText: "watching" }).waitFor();
    await workbench.screenshot("run-watching-empty");
    cpSync(
      path.join(repository, "media", "sample", "pre-ln", lastStep("pre-ln")),
      path.join(folder, "fresh", "step-10"),
      { recursive: true },
    );
    const row = panel.find(".run-tables table").first().locator('tr:has(th:text-is("10"))');
    await row.locator("td:not(.absent)").nth(5).waitFor({ timeout: 150_000 });
    expect(await panel.find(".panel > header .facts").textContent()).toMatch(
      /1 checkpoint, step 10$/,
    );
    await workbench.screenshot("run-watching-first");
    await workbench.row("fresh").waitFor();
    await expect
      .poll(() => workbench.menuTitles(workbench.row("fresh")), { timeout: 30_000 })
      .toContain("Watch Run");
    expect(await workbench.menuTitles(workbench.row("fresh"))).not.toContain("Diagnose Run");
    expect(workbench.complaints).toEqual([]);
  }, 300_000);

  test("asks what to warn of, remembers it, and watches on after a reload", async () => {
    workbench = await Workbench.open("watch-asks", {
      settings: { ...quick, "fathom.watch.settleSeconds": 1 },
    });
    const { page, panel } = workbench;
    const item = page.locator(".statusbar-item").filter({ hasText: "Watching pre-ln" });
    await workbench.choose(workbench.row("pre-ln"), "Watch Run");
    await workbench.pick("output variance of the last layer is above…");
    await workbench.quickInput().fill("nothing");
    await page.locator(".quick-input-message", { hasText: "A number from 0 on." }).waitFor();
    await workbench.quickInput().fill("0.001");
    await page.keyboard.press("Enter");
    await item.waitFor();
    // It is the workspace's, not the panel's: that is closed, and nothing but the watch comes back.
    await workbench.writesDown('"watchedRuns":{"/');
    await workbench.command("View: Close All Editors");
    await workbench.tab("Run pre-ln").waitFor({ state: "detached" });
    await workbench.reload();
    await item.waitFor({ timeout: 60_000 });
    expect(await workbench.tab("Run pre-ln").count()).toBe(0);
    await item.click();
    await panel.find(".run-status").filter({ hasText: "watching" }).waitFor();
    workbench.writeCheckpoint("pre-ln", "step-9999");
    await workbench
      .notification(/the variance after layer \d+ is .*, above 0\.00100/)
      .waitFor({ timeout: 150_000 });
    await workbench.screenshot("run-warned");

    // The next time the same is one press away.
    await workbench.command("Fathom: Stop Watching Run");
    await item.waitFor({ state: "hidden" });
    await panel.button("Watch").first().click();
    await workbench.picks().first().waitFor();
    expect(await workbench.picks().first().textContent()).toMatch(/above 0\.001.*as last time/);
    await workbench.screenshot("run-asks");
    await page.keyboard.press("Enter");
    await item.waitFor();
  }, 300_000);

  test("measures what became complete while no window was open, and nothing older", async () => {
    workbench = await Workbench.open("watch-away", {
      settings: { ...quick, "fathom.watch.settleSeconds": 1, "fathom.watch.minNeededShare": 0 },
    });
    const { page, panel } = workbench;
    const item = page.locator(".statusbar-item").filter({ hasText: "Watching pre-ln" });
    await workbench.choose(workbench.row("pre-ln"), "Watch Run");
    await item.waitFor();
    await workbench.writesDown('"watchedRuns":{"/');
    await workbench.command("View: Close All Editors");
    const held = workbench.holdNextEngine();
    await workbench.away(() => {
      workbench.writeCheckpoint("pre-ln", "step-10000");
    });
    const letGo = await held;
    const measuring = workbench.statusLine("Measuring the checkpoints in");
    await measuring.filter({ hasText: "pre-ln step 10,000" }).waitFor({ timeout: 60_000 });
    await workbench.screenshot("run-resumed");
    letGo();
    await item.waitFor({ timeout: 150_000 });
    await item.click();
    const measured = panel
      .find(".run-tables table")
      .first()
      .locator("tbody tr:not(:has(.absent)) th");
    await expect.poll(() => measured.allTextContents(), { timeout: 30_000 }).toEqual(["10,000"]);
    expect(await workbench.notification("").count()).toBe(0);
    await workbench.screenshot("run-resumed-done");
  }, 300_000);
});

/** Until the panel shows all figures of two runs. */
async function bothMeasured(): Promise<void> {
  const { panel } = workbench;
  await panel.find('.run-bar[data-phase="done"]').waitFor({ timeout: 300_000 });
  await expect
    .poll(() => panel.status().textContent(), { timeout: 120_000 })
    .toMatch(/^(?:pre-ln|lns): 4 checkpoints measured\n(?:pre-ln|lns): 4 checkpoints measured$/);
}

/** What the training of a twin logged, by another reader: how many steps, and the first that has both losses. */
function loggedLosses(twin: string): { lines: number; step: number; cells: string[] } {
  const file = path.join(repository, "media", "sample", twin, "training_log.csv");
  const rows = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const [step, , loss, , heldOut] = rows.find((row) => row[4] !== "")!;
  const cells = [loss, heldOut].map((value) => Number(value).toPrecision(3));
  return { lines: rows.length, step: Number(step), cells };
}

function stepsOf(twin: string): number[] {
  return readdirSync(path.join(repository, "media", "sample", twin))
    .filter((name) => /^step-\d+$/.test(name))
    .map((name) => Number(name.slice(5)))
    .sort((a, b) => a - b);
}
