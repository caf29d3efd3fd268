import { expect, test } from "vitest";
import { sampleReport } from "../unit/report/sampleReport";
import { themes, useTheme } from "./support/themes";
import { lastStep, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");
const allThemes = [...themes, ["high-contrast-light", "Default High Contrast Light"]] as const;

const allowed = { ...thorough, timeout: 300_000 };

let workbench: Workbench;

test("the panel and a report file in every theme, wide and narrow", allowed, async () => {
  const sample = sampleReport({ layers: 32, withoutJacobian: [7] });
  workbench = await Workbench.open("themes", {
    size: { width: 1680, height: 1900 },
    files: { "review.fathom.json": JSON.stringify(sample) },
  });
  await workbench.openFile("model.py");
  await workbench.diagnose("pre-ln", step);
  await workbench.panel.reaches("done");
  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await photographAll("");
  // The panel of a report file has the place of the other, and the whole width.
  await workbench.command("View: Close All Editors");
  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await workbench.openFile("review.fathom.json");
  await workbench.panel.reaches("done");
  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await photographAll("report-");
  expect(workbench.complaints).toEqual([]);
});

/** Leaves pictures as wide as there is room, and of a page of 420 pixels from its top and to its end. */
async function photographAll(name: string): Promise<void> {
  const { page, panel } = workbench;
  const groups = await workbench.editorGroups().count();
  for (const theme of allThemes) {
    await page.setViewportSize({ width: 1680, height: 1900 });
    await useTheme(workbench, theme, {});
    await page.waitForTimeout(1000);
    await workbench.screenshot(`${name}${theme[0]}`);
    // The bar of the activities has the rest.
    await page.setViewportSize({ width: groups * 420 + 60, height: 1900 });
    for (const [part, suffix] of [
      ["h1", "narrow"],
      [".measurement", "narrow-end"],
    ] as const) {
      await panel.find(part).scrollIntoViewIfNeeded();
      await page.waitForTimeout(600);
      await workbench.screenshot(`${name}${theme[0]}-${suffix}`);
    }
    await panel.find("h1").scrollIntoViewIfNeeded();
  }
  await page.setViewportSize({ width: 1680, height: 1900 });
}
