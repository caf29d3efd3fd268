import { expect, test } from "vitest";
import type { Locator } from "playwright-core";
import { themes, useTheme } from "./support/themes";
import { quick, thorough, Workbench } from "./support/workbench";

let workbench: Workbench;

const steps = [
  "Diagnose a checkpoint",
  "Read the layers",
  "Choose the text",
  "See the numbers in the code",
  "Compare checkpoints and follow a training run",
  "Apply LayerNorm Scaling",
  "Keep the report",
];

async function openWalkthrough(): Promise<void> {
  await workbench.command("Welcome: Open Walkthrough...");
  await workbench.pick("How deep is your transformer?");
  await step(steps[0]!).waitFor();
}

function step(title: string): Locator {
  return workbench.page.locator(".getting-started-step").filter({ hasText: title });
}

/** The pictures of the editor's own page; a drawing is in a webview. */
function drawing(): Locator {
  return workbench.page
    .frameLocator(".getting-started-media iframe.webview.ready")
    .frameLocator("#active-frame")
    .locator("svg text")
    .first();
}

test(
  "the walkthrough shows each step with its picture, and its buttons do what they say",
  thorough,
  async () => {
    workbench = await Workbench.open("walkthrough", { settings: quick });
    await openWalkthrough();
    const { page } = workbench;
    expect(await page.locator(".getting-started-step .step-title").allTextContents()).toEqual(
      steps,
    );
    const press = (text: string): Promise<void> =>
      page.locator(".getting-started-step.expanded .monaco-button", { hasText: text }).click();

    await press("Diagnose Depth");
    await workbench.picks().filter({ hasText: "Browse for a checkpoint folder" }).waitFor();
    await page.keyboard.press("Escape");
    // Whoever has asked for it has seen how.
    const ticks = (title: string): Promise<number> =>
      step(title).locator(".codicon-getting-started-step-checked").count();
    await expect.poll(() => ticks(steps[0]!)).toBe(1);

    await step(steps[4]!).click();
    await press("Compare Depth");
    await workbench.quickInput().waitFor();
    await page.keyboard.press("Escape");
    await press("Diagnose Run");
    await workbench.picks().filter({ hasText: "pre-ln" }).first().waitFor();
    await page.keyboard.press("Escape");
    await expect.poll(() => ticks(steps[4]!)).toBe(1);
    expect(await ticks(steps[5]!)).toBe(0);

    await step(steps[3]!).click();
    await press("Open the Setting");
    await page.locator(".settings-editor", { hasText: "Code Lens" }).waitFor();
    expect(workbench.complaints).toEqual([]);
  },
);

test("its pictures follow the theme", thorough, async () => {
  workbench = await Workbench.open("walkthrough-themes", { settings: quick });
  await openWalkthrough();
  for (const theme of themes) {
    await useTheme(workbench, theme, quick);
    for (const [place, title] of steps.entries()) {
      await step(title).click();
      if (title !== "Choose the text" && title !== "Keep the report") await drawing().waitFor();
      await workbench.page.waitForTimeout(700);
      if (theme === themes[0] || theme === themes[1] || place === 4) {
        await workbench.screenshot(`walkthrough-${theme[0]}-${place + 1}`);
      }
    }
  }
  expect(workbench.complaints).toEqual([]);
});
