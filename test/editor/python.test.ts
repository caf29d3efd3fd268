import { readFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { lastStep, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

let workbench: Workbench;
afterEach(async () => {
  await workbench.close();
});

const lenses = (text: string | RegExp) =>
  workbench.page.locator(".codelens-decoration a").filter({ hasText: text });

describe("training code", () => {
  test("shows the numbers of its model above the norms, and their table behind them", async () => {
    workbench = await Workbench.open("lenses", { settings: { "fathom.metrics": ["variance"] } });
    await workbench.openFile("model.py");
    await goTo("class DecoderLayer");
    // Nothing has been measured yet: the norms offer to.
    await lenses("Diagnose depth").first().waitFor({ timeout: 30_000 });
    await workbench.diagnose("pre-ln", step);
    await workbench.panel.reaches("done", 120_000);
    await workbench.tab("model.py").click();
    await goTo("class DecoderLayer");
    const measured = lenses(/σ² [\d.]+ → [\d.]+ [▁-█]+/);
    await expect.poll(() => measured.count(), { timeout: 20_000 }).toBe(2);
    await workbench.screenshot("lenses");

    const norm = workbench.page.locator(".view-line", { hasText: "self.input_layernorm =" });
    await norm.locator("span", { hasText: "RMSNorm" }).last().hover();
    const hover = workbench.page.locator(".monaco-hover table");
    await hover.waitFor({ timeout: 15_000 });
    expect(await hover.locator("tbody tr").count()).toBe(16);
    await workbench.screenshot("norm-hover");
    await workbench.page.keyboard.press("Escape");

    await workbench.tab(`Depth of pre-ln/${step}`).click({ button: "middle" });
    await measured.first().click();
    await workbench.tab(`Depth of pre-ln/${step}`).waitFor();
  });

  test("is given LayerNorm Scaling by the light bulb, and loses it by one undo", async () => {
    const code = preNormModel;
    workbench = await Workbench.open("scaling", { files: { "block.py": code } });
    const file = path.join(workbench.folder, "block.py");
    await workbench.openFile("block.py");
    await workbench.page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
    await chooseAction("Apply LayerNorm Scaling");
    await workbench.page
      .locator(".view-line", { hasText: "self.ln_1(x) * self.ln_scale" })
      .waitFor({ timeout: 20_000 });
    await workbench.screenshot("scaling");
    await workbench.page.keyboard.press("Control+s");
    await expect.poll(() => readFileSync(file, "utf8")).toContain("for layer_idx in range(");
    await workbench.page.keyboard.press("Control+z");
    await workbench.page.keyboard.press("Control+s");
    await expect.poll(() => readFileSync(file, "utf8")).toBe(code);
  });
});

/** Scrolls to a line of the open file as a person would: the editor draws only what is in sight. */
async function goTo(text: string): Promise<void> {
  const file = path.join(workbench.folder, "model.py");
  const lines = readFileSync(file, "utf8").split("\n");
  await workbench.page.keyboard.press("Control+g");
  await workbench.quickInput().fill(`:${lines.findIndex((line) => line.includes(text)) + 1}`);
  await workbench.page.keyboard.press("Enter");
  await workbench.page.locator(".view-line", { hasText: text }).waitFor();
}

/** Opens the light bulb's menu where the cursor is, until it has the action. */
async function chooseAction(title: string): Promise<void> {
  const action = workbench.page.locator(".action-widget .monaco-list-row", { hasText: title });
  for (let attempt = 0; attempt < 20; attempt++) {
    await workbench.page.keyboard.press("Control+.");
    const isOffered = await action
      .first()
      .waitFor({ timeout: 3000 })
      .then(
        () => true,
        () => false,
      );
    if (isOffered) {
      await workbench.screenshot("light-bulb");
      return action.first().click();
    }
    await workbench.page.keyboard.press("Escape");
  }
  throw new Error(`The light bulb does not offer ${title}.`);
}

const preNormModel = `import torch.nn as nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = Attention(width)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


class Model(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.ln_f = nn.LayerNorm(width)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.ln_f(x)
`;
