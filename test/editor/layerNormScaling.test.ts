import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { preNormBlock } from "./support/preNormModel";
import { quick, Workbench } from "./support/workbench";

let workbench: Workbench;

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

test("LayerNorm Scaling over two files is undone in both by one undo", async () => {
  workbench = await Workbench.open("scaling-undo", {
    settings: { ...quick, "files.encoding": "iso88591" },
    files: { "block.py": windows(preNormBlock) },
    prepare: (folder) => {
      // The editor makes its line ends alike as it opens it, and reads it in the encoding of the settings.
      writeFileSync(path.join(folder, "stack.py"), stack.replace("\n", "\r\n"), "latin1");
    },
  });
  const { page, folder } = workbench;
  const textOf = (name: string): string => readFileSync(path.join(folder, name), "latin1");
  await workbench.openFile("block.py");
  await page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
  await workbench.command("Fathom: Apply LayerNorm Scaling");
  const scaled = page.locator(".view-line", { hasText: "self.ln_1(x) * self.ln_scale" });
  await scaled.waitFor({ timeout: 60_000 });
  await workbench.command("File: Save All Files");
  await expect.poll(() => textOf("block.py")).toContain("self.ln_2(x) * self.ln_scale");
  await expect.poll(() => textOf("stack.py")).toMatch(/\[Block\(.*\) for \w+ in range\(depth\)\]/);
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

function windows(text: string): string {
  return text.replaceAll("\n", "\r\n");
}
