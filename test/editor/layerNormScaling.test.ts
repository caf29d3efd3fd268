import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { preNormBlock, preNormModel } from "./support/preNormModel";
import { quick, thorough, Workbench } from "./support/workbench";

let workbench: Workbench;

beforeEach(async () => {
  workbench = await Workbench.again("scaling", {
    settings: { ...quick, "files.encoding": "iso88591" },
    files: {
      "single.py": preNormModel,
      "initialised.py": initialised,
      "post_norm.py": postNorm,
      "notes.md": "",
      "block.py": windows(preNormBlock),
    },
    prepare: (folder) => {
      // The editor makes its line ends alike as it opens it, and reads it in the encoding of the settings.
      writeFileSync(path.join(folder, "stack.py"), stack.replace("\n", "\r\n"), "latin1");
    },
  });
});

describe("LayerNorm Scaling", () => {
  test("is applied by the light bulb, and undone by one undo", async () => {
    const file = path.join(workbench.folder, "single.py");
    await workbench.openFile("single.py");
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
    await expect.poll(() => readFileSync(file, "utf8")).toBe(preNormModel);
  });

  test("is shown change by change before it is applied", thorough, async () => {
    const file = path.join(workbench.folder, "initialised.py");
    await workbench.openFile("initialised.py");
    await workbench.page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
    await chooseAction("Preview LayerNorm Scaling…");
    const preview = workbench.page.locator(".bulk-edit-panel");
    await preview.locator(".monaco-list-row").first().waitFor({ timeout: 20_000 });
    await preview.locator(".monaco-list-row", { hasText: "self.ln_scale" }).first().waitFor();
    await workbench.screenshot("preview");
    expect(readFileSync(file, "utf8")).toBe(initialised);
    await preview.locator(".monaco-button", { hasText: "Apply" }).click();
    const scaled = workbench.page.locator(".view-line", {
      hasText: "self.ln_1(x) * self.ln_scale",
    });
    await scaled.first().waitFor({ timeout: 20_000 });
    await workbench
      .notification("Scaled initialisation weakens LayerNorm Scaling")
      .waitFor({ timeout: 10_000 });
    await workbench.screenshot("preview-applied");
    await workbench.tab("initialised.py").first().click();
    await workbench.page.keyboard.press("Control+s");
    await expect.poll(() => readFileSync(file, "utf8")).toContain("for layer_idx in range(");
    await workbench.page.locator(".view-line", { hasText: "class Block" }).first().click();
    await workbench.page.keyboard.press("Control+z");
    await workbench.page.keyboard.press("Control+s");
    await expect.poll(() => readFileSync(file, "utf8")).toBe(initialised);
  });

  test("leaves alone what it is not for, which gets the recipe", thorough, async () => {
    await workbench.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await workbench.openFile("post_norm.py");
    await workbench.page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
    // It is told for some seconds only, so someone looks out for it before it comes.
    const told = workbench.page
      .locator(".statusbar-item", { hasText: "is on the clipboard" })
      .waitFor({ timeout: 90_000 });
    await chooseAction("Copy as LayerNorm Scaling recipe");
    await told;
    await workbench.openFile("notes.md");
    // The tab is there before its text takes the keys.
    await workbench.page.locator(".statusbar-item", { hasText: "Markdown" }).waitFor();
    await workbench.page.locator(".editor-instance .view-lines").first().click();
    await workbench.page.keyboard.press("Control+v");
    await workbench.page.locator(".view-line", { hasText: "* self.ln_scale" }).first().waitFor();
    await workbench.screenshot("recipe-pasted");

    await workbench.tab("post_norm.py").click();
    await workbench.page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
    await chooseAction("Apply LayerNorm Scaling");
    const refusal = workbench.notification(/was not applied: .*Post-LN/);
    await refusal.waitFor({ timeout: 20_000 });
    await workbench.screenshot("refused");
    await workbench.press(refusal, "Show Recipe");
    await expect.poll(() => workbench.editorGroups().count()).toBe(2);
    await workbench.screenshot("recipe-shown");
    await workbench.command("View: Revert and Close Editor");
    expect(readFileSync(path.join(workbench.folder, "post_norm.py"), "utf8")).toBe(postNorm);
  });

  test("over two files is undone in both by one undo", thorough, async () => {
    const { page, folder } = workbench;
    const textOf = (name: string): string => readFileSync(path.join(folder, name), "latin1");
    await workbench.openFile("block.py");
    await page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
    await workbench.command("Fathom: Apply LayerNorm Scaling");
    const scaled = page.locator(".view-line", { hasText: "self.ln_1(x) * self.ln_scale" });
    await scaled.waitFor({ timeout: 60_000 });
    await workbench.command("File: Save All Files");
    await expect.poll(() => textOf("block.py")).toContain("self.ln_2(x) * self.ln_scale");
    await expect
      .poll(() => textOf("stack.py"))
      .toMatch(/\[Block\(.*\) for \w+ in range\(depth\)\]/);
    expect(textOf("stack.py")).not.toBe(stack);
    expect(textOf("stack.py")).toContain("self.norm = nn.LayerNorm(width)\n");
    await workbench.screenshot("scaling-two-files");

    await page.locator(".view-line", { hasText: "class Block" }).click();
    await page.keyboard.press("Control+z");
    // Where the other file is open too, the editor may ask whether it is meant.
    const asked = page.locator(".monaco-dialog-box .monaco-button", { hasText: "Undo in 2 Files" });
    await asked.click({ timeout: 5000 }).catch(() => undefined);
    await scaled.waitFor({ state: "detached" });
    await workbench.screenshot("scaling-undo");
    await workbench.command("File: Save All Files");
    await expect.poll(() => textOf("block.py")).toBe(windows(preNormBlock));
    await expect.poll(() => textOf("stack.py")).toBe(stack);
  });
});

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

function windows(text: string): string {
  return text.replaceAll("\n", "\r\n");
}

const initialised = `${preNormModel}
def initialise(model, n_layer):
    for name, parameter in model.named_parameters():
        if name.endswith("mlp.proj.weight"):
            nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * n_layer))
`;

const postNorm = preNormModel.replaceAll(
  /x = x \+ self\.(\w+)\(self\.(ln_\d)\(x\)\)/g,
  "x = self.$2(x + self.$1(x))",
);

const stack = `import torch.nn as nn

from block import Block  # écrit à Orléans


class Stack(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])
        self.norm = nn.LayerNorm(width)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.norm(x)
`;
