import path from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, test } from "vitest";
import { exportAll, openExported } from "./support/exports";
import { SidePage } from "./support/sidePage";
import { photograph, themes, useTheme } from "./support/themes";
import { lastStep, quick, thorough, Workbench } from "./support/workbench";

const twins = [
  ["lns", lastStep("lns")],
  ["pre-ln", lastStep("pre-ln")],
] as const;
const layers = 16;

let workbench: Workbench;

describe("Compare Depth", () => {
  test("two checkpoints that are selected in the explorer", async () => {
    workbench = await Workbench.open("compare", {
      settings: quick,
      size: { width: 1600, height: 1400 },
    });
    const { panel } = workbench;
    const progress = workbench.statusLine("Comparing depth");
    const held = workbench.holdNextEngine();
    await compareTwins();
    const letGo = await held;
    // The panel is there before any figure is, and says what is still to come.
    await workbench.statusLine(/Comparing depth, 1 of 2: lns\/step-\d+/).waitFor();
    expect(await workbench.notification("").count()).toBe(0);
    await panel.find("td.pending").filter({ hasText: "Being diagnosed" }).waitFor();
    await panel.find("td.pending").filter({ hasText: "Waits to be diagnosed" }).waitFor();
    letGo();
    await allMeasured();
    expect(await progress.count()).toBe(0);
    expect(await panel.find(".facts").textContent()).toMatch(
      /^2 reports · paired over the same \d+ documents$/,
    );
    const sentences = await panel.find(".sentences p").allTextContents();
    expect(sentences[0]).toMatch(
      /variance grows [\d.]+-fold in lns.* and [\d.]+-fold in pre-ln.*\(×/,
    );
    expect(sentences.join()).toContain("Removing one layer of the deep half (layers 8–15)");
    expect(await panel.find("tr[data-layer]").count()).toBe(layers);

    // Each chart says both figures and their difference of every layer, to the keyboard too.
    for (const chart of await panel.charts().all()) {
      for (const text of await panel.readChart(chart)) {
        expect(text).toMatch(/^Layer \d+: lns\S* .*\d; pre-ln\S* .*\d.*\(.* ± .*\)/);
      }
    }

    // The other report as the reference turns every ratio over.
    const ratio = panel.find('tr[data-layer="3"] td').first();
    const before = Number((await ratio.textContent())?.match(/×([\d.]+)/)?.[1]);
    await panel.find('input[name="reference"]').nth(1).check();
    await expect.poll(() => panel.find(".groups .group").textContent()).toMatch(/lns\S+ against/);
    const after = Number((await ratio.textContent())?.match(/×([\d.]+)/)?.[1]);
    expect(before * after).toBeCloseTo(1, 1);

    // A report can be left out of the charts.
    const toggle = panel.find(".series-toggle").first();
    await toggle.click();
    await expect.poll(() => toggle.getAttribute("aria-pressed")).toBe("false");
    expect(await panel.find(".readouts").first().locator("li").count()).toBe(1);
    await toggle.click();
    await workbench.screenshot("compare");

    const exported = await exportAll(workbench, "comparison");
    expect(exported.json).toMatchObject({ schemaVersion: 1, reference: 1 });
    expect(exported.csv).toHaveLength(1 + 4 + 3 * layers);
    expect(exported.png.width).toBe(2400);
    expect(exported.png.height).toBeGreaterThan(2000);
    const opened = await openExported(workbench, exported.html);
    expect(opened).toMatchObject({ charts: 3, formats: ["JSON", "CSV", "PNG"], requests: [] });
    expect(opened.text).toContain("paired over the same");
    expect(workbench.complaints).toEqual([]);
  });
});

describe("Compare Depth, thoroughly", thorough, () => {
  test("checkpoints of the side panel's tree, then the same ones again", async () => {
    workbench = await Workbench.open("compare-tree", { settings: quick });
    const { panel, page } = workbench;
    const side = new SidePage(page);
    await side.open();
    const rows = side.row(/^step-2600/);
    await rows.nth(1).waitFor();
    await rows.nth(0).click();
    await rows.nth(1).click({ modifiers: ["ControlOrMeta"] });
    await side.pressOn(rows.nth(1), "Compare");
    await allMeasured();
    expect(await workbench.tab("Compare").count()).toBe(1);

    // The other way round it is the same set, and its panel is at hand.
    await workbench.command("Fathom: Compare Depth");
    await choose([`pre-ln/${twins[1][1]}`, `lns/${twins[0][1]}`]);
    await allMeasured();
    expect(await workbench.tab("Compare").count()).toBe(1);
    expect(await panel.find("h1").textContent()).toMatch(/^lns\S+ · pre-ln\S+$/);
  });

  test("what is picked in the palette, a report file among it; it comes back after a reload", async () => {
    workbench = await Workbench.open("compare-pick", { settings: quick });
    const { panel } = workbench;
    await workbench.diagnose(...twins[0]);
    await panel.reaches("done");
    const file = path.join(workbench.folder, "kept.fathom.json");
    await panel.button("JSON").click();
    await workbench.saveAs(file);
    await workbench.statusLine("Exported to").waitFor();
    await workbench.command("View: Close All Editors");
    const held = workbench.holdNextEngine();
    await workbench.command("Fathom: Compare Depth");
    await choose(["kept.fathom.json", `pre-ln/${twins[1][1]}`]);
    const letGo = await held;
    // One is there at once, and the other says how far it is.
    await panel.find("tr[data-place] .report-facts").first().waitFor();
    await panel.find("td.pending").filter({ hasText: "Being diagnosed" }).waitFor();
    expect(await panel.charts().count()).toBe(3);
    await workbench.screenshot("compare-running");
    letGo();
    await allMeasured();
    await panel.find('input[name="reference"]').nth(1).check();
    await workbench.writesDown('"reference":1');
    await workbench.reload();
    await allMeasured();
    expect(await panel.find('input[name="reference"]').nth(1).isChecked()).toBe(true);
    expect(await workbench.tab("Compare").count()).toBe(1);
    expect(await workbench.statusLine("Comparing depth").count()).toBe(0);
    await workbench.screenshot("compare-reloaded");
  });

  test("a cancel keeps what is there, and the rest can be measured later", async () => {
    workbench = await Workbench.open("compare-cancel", { settings: quick });
    const { panel } = workbench;
    const first = workbench.holdNextEngine();
    await compareTwins();
    const letFirstGo = await first;
    // The second begins once the first has ended, and is cancelled before it has measured anything.
    const second = workbench.holdNextEngine();
    letFirstGo();
    await second;
    await panel.find('tr[data-place="0"] .report-facts').waitFor({ timeout: 120_000 });
    await panel.find('tr[data-place="1"] td.pending').waitFor();
    await panel.button("Cancel").click();
    await panel.find('.run-bar[data-phase="cancelled"]').waitFor();
    expect(await panel.status().textContent()).toBe("Cancelled · 1 of 2 reports");
    expect(await panel.find("td.pending").textContent()).toBe("Not measured");
    expect(await workbench.statusLine("Comparing depth").count()).toBe(0);
    await workbench.screenshot("compare-cancelled");
    await panel.button("Measure what is missing").click();
    await allMeasured();
    expect(workbench.complaints).toEqual([]);
  });

  test("in every theme, narrow and wide", async () => {
    workbench = await Workbench.open("compare-themes", { settings: quick });
    await compareTwins();
    await allMeasured();
    for (const theme of themes) {
      await useTheme(workbench, theme, quick);
      await photograph(workbench, `compare-${theme[0]}`);
    }
    expect(workbench.complaints).toEqual([]);
  });
});

/** Until there are rows of differences and nothing goes on. */
async function allMeasured(): Promise<void> {
  const { panel } = workbench;
  await panel.find("tr[data-layer]").last().waitFor({ timeout: 120_000 });
  await expect.poll(() => panel.status().textContent()).toBe("2 reports, all measured");
}

/** Ticks entries of the picker one by one and accepts. */
async function choose(texts: string[]): Promise<void> {
  for (const text of texts) {
    await workbench.quickInput().first().fill(text);
    await workbench.picks().filter({ hasText: text }).first().click();
  }
  await workbench.page.locator(".quick-input-widget .monaco-button", { hasText: "OK" }).click();
}

/** What a person does: selects both folders, right-clicks one and chooses the command. */
async function compareTwins(): Promise<void> {
  const rows: Locator[] = [];
  for (const names of twins) rows.push(await workbench.reach(...names));
  const [first, second] = rows as [Locator, Locator];
  // The folders are known a moment after the window; the menu of one says when.
  await workbench.openContextMenu(first, "Diagnose Depth");
  await workbench.page.keyboard.press("Escape");
  await first.click();
  await second.click({ modifiers: ["ControlOrMeta"] });
  await workbench.choose(second, "Compare Depth");
}
