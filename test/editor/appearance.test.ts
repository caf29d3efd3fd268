import { afterEach, describe, expect, test } from "vitest";
import { lastStep, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

describe("the panel in every theme", () => {
  test.each([
    ["light", "Default Light Modern", "vscode-light"],
    ["dark", "Default Dark Modern", "vscode-dark"],
    ["high-contrast", "Default High Contrast", "vscode-high-contrast"],
    ["high-contrast-light", "Default High Contrast Light", "vscode-high-contrast-light"],
  ])("%s", async (name, theme, bodyClass) => {
    workbench = await Workbench.open(`theme-${name}`, {
      settings: { "workbench.colorTheme": theme },
      size: { width: 1680, height: 1900 },
    });
    await workbench.openFile("model.py");
    await workbench.diagnose("pre-ln", step);
    await workbench.panel.reaches("done");
    expect(await workbench.panel.find("body").getAttribute("class")).toContain(bodyClass);
    await workbench.page.waitForTimeout(1000);
    await workbench.screenshot(name);
  });
});
