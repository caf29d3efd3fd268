import { readFileSync } from "node:fs";
import type { Locator } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { lastStep, Workbench } from "./support/workbench";

const twins = [
  ["lns", lastStep("lns")],
  ["pre-ln", lastStep("pre-ln")],
] as const;
const layers = 16;

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

describe("Compare Depth", () => {
  test("two checkpoints that are selected in the explorer", async () => {
    workbench = await Workbench.open("compare", { size: { width: 1600, height: 1400 } });
    await compareTwins();
    const progress = workbench.notification("Comparing depth");
    await progress.filter({ hasText: /1 of 2: lns\/step-\d+ · / }).waitFor();
    const { panel } = workbench;
    await panel.find("tr[data-layer]").last().waitFor({ timeout: 120_000 });
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

    const file = workbench.exportPath("fathom-comparison.csv");
    await panel.button("CSV").click();
    await workbench.saveAs(file);
    await workbench.notification(`Exported to ${file}`).waitFor();
    const lines = readFileSync(file, "utf8").trimEnd().split("\r\n");
    expect(lines).toHaveLength(1 + 4 + 3 * layers);
    expect(workbench.complaints).toEqual([]);
  });

  test.each([
    ["light", "Default Light Modern"],
    ["dark", "Default Dark Modern"],
    ["high-contrast", "Default High Contrast"],
  ])("in the theme %s", async (name, theme) => {
    workbench = await Workbench.open(`compare-${name}`, {
      settings: { "workbench.colorTheme": theme },
      size: { width: 1680, height: 2000 },
    });
    await compareTwins();
    await workbench.panel.find("tr[data-layer]").last().waitFor({ timeout: 120_000 });
    await workbench.panel.charts().nth(1).hover();
    await workbench.page.waitForTimeout(1000);
    await workbench.screenshot(`compare-${name}`);
  });
});

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
  const item = await workbench.openContextMenu(second, "Compare Depth");
  await workbench.page.waitForTimeout(300);
  await item.click();
}
