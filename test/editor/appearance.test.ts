import { afterEach, expect, test } from "vitest";
import { themes, useTheme } from "./support/themes";
import { lastStep, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

test("the panel in every theme", thorough, async () => {
  workbench = await Workbench.open("themes", { size: { width: 1680, height: 1900 } });
  await workbench.openFile("model.py");
  await workbench.diagnose("pre-ln", step);
  await workbench.panel.reaches("done");
  for (const theme of [
    ...themes,
    ["high-contrast-light", "Default High Contrast Light"],
  ] as const) {
    await useTheme(workbench, theme, {});
    await workbench.page.waitForTimeout(1000);
    await workbench.screenshot(theme[0]);
  }
  expect(workbench.complaints).toEqual([]);
});
