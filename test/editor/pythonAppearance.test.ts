import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { preNormModel } from "./support/preNormModel";
import { lastStep, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

/** By the class that the workbench has in them. */
const themes = [
  ["vs", "Default Light Modern"],
  ["hc-black", "Default High Contrast"],
  ["hc-light", "Default High Contrast Light"],
  ["vs-dark", "Default Dark Modern"],
] as const;

/** Widths of the window, in pixels. */
const widths = [
  ["wide", 1600],
  ["narrow", 760],
] as const;

let workbench: Workbench;

test("lenses, their hover and the preview of an edit in every theme", thorough, async () => {
  workbench = await Workbench.open("python-themes", {
    settings: { "fathom.maxTokens": 256 },
    files: { "block.py": preNormModel },
  });
  const { page } = workbench;
  await workbench.openFile("model.py");
  await workbench.diagnose("pre-ln", step);
  await workbench.panel.reaches("done", 120_000);
  await workbench.tab("Depth of").click({ button: "middle" });
  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await workbench.goToLine("model.py", "class DecoderLayer");
  const norm = page.locator(".view-line", { hasText: "self.input_layernorm =" });
  await page.locator(".codelens-decoration a", { hasText: "σ²" }).first().waitFor();
  await inEveryTheme("lenses", async (name) => {
    await workbench.screenshot(name);
    await norm.locator("span", { hasText: "RMSNorm" }).last().hover();
    await page.locator(".monaco-hover table").waitFor({ timeout: 15_000 });
    // It is faded in.
    await page.waitForTimeout(300);
    await workbench.screenshot(`${name}-hover`);
    await page.keyboard.press("Escape");
    await page.mouse.move(5, 500);
  });

  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await workbench.openFile("block.py");
  await workbench.command("View: Toggle Primary Side Bar Visibility");
  await page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
  await workbench.command("Fathom: Preview LayerNorm Scaling…");
  const rows = page.locator(".bulk-edit-panel .monaco-list-row", { hasText: "self.ln_scale" });
  await rows.first().waitFor({ timeout: 30_000 });
  await rows.first().dblclick();
  await inEveryTheme("preview", (name) => workbench.screenshot(name));
  expect(workbench.complaints).toEqual([]);
});

/** Each view in pictures by its theme and width. */
async function inEveryTheme(view: string, look: (name: string) => Promise<void>): Promise<void> {
  const { page, folder } = workbench;
  for (const [className, theme] of themes) {
    writeFileSync(
      path.join(folder, ".vscode", "settings.json"),
      JSON.stringify({ "fathom.textFiles": ["held-out.txt"], "workbench.colorTheme": theme }),
    );
    await page.locator(`.monaco-workbench.${className}`).waitFor({ timeout: 20_000 });
    for (const [width, pixels] of widths) {
      await page.setViewportSize({ width: pixels, height: 1000 });
      await page.waitForTimeout(500);
      await look(`${view}-${className}-${width}`);
    }
  }
}
