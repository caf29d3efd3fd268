/** The extension in another display language: all that a person reads of it comes out of its bundles. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { marked, pseudo } from "../unit/support/pseudoLocale";
import { SidePage } from "./support/sidePage";
import { editorAtHand, lastStep, repository, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

/** What was written for this test, with what was there before: other tests share the editor. */
const written = new Map<string, Buffer | undefined>();

function write(file: string, content: unknown): void {
  written.set(file, existsSync(file) ? readFileSync(file) : undefined);
  writeFileSync(file, JSON.stringify(content));
}

beforeAll(() => {
  const { extensions, userData } = editorAtHand();
  const installed = readdirSync(extensions).find((name) => name.startsWith("fathom.fathom-"));
  if (installed === undefined) throw new Error(`${extensions} does not hold the extension.`);
  const extension = path.join(extensions, installed);
  const { language, bundle } = pseudo;
  write(path.join(extension, "l10n", `bundle.l10n.${language}.json`), bundle);
  write(path.join(extension, `package.nls.${language}.json`), contributed());
  // A language pack as the editor keeps it, which leaves the editor's own texts in English.
  const translations = path.join(userData, `${language}.json`);
  write(translations, { contents: {} });
  write(path.join(userData, "languagepacks.json"), {
    [language]: {
      hash: language,
      extensions: [{ extensionIdentifier: { id: "fathom.pseudo-locale" }, version: "1.0.0" }],
      translations: { vscode: translations },
      label: language,
    },
  });
  write(path.join(userData, "User", "argv.json"), { locale: language });
});

let workbench: Workbench | undefined;
afterAll(async () => {
  await workbench?.close();
  for (const [file, before] of written) {
    if (before === undefined) rmSync(file);
    else writeFileSync(file, before);
  }
});

/** What package.json shows, but for the one name by which the side panel is found. */
function contributed(): Record<string, string> {
  const file = path.join(repository, "package.nls.json");
  const texts = JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(texts).map(([key, text]) => [key, text === "Fathom" ? text : `⟦${text}⟧`]),
  );
}

/** The words of a text that did not come out of a bundle, and are no names. */
function bare(text: string): string[] {
  expect(text).toMatch(/⟦[^⟧]*⟧/u);
  const words = text.replace(/⟦[^⟧]*⟧/gu, " ").match(/\p{L}{4,}/gu) ?? [];
  return words.filter((word) => !["step", "LLaMA"].includes(word));
}

test("lens, panel, side panel and light bulb speak it", thorough, async () => {
  workbench = await Workbench.open("translated", {
    settings: { "fathom.metrics": ["variance"], "fathom.maxTokens": 512 },
    files: { "block.py": postNorm },
  });
  const { page, panel } = workbench;
  const side = new SidePage(page);

  await workbench.openFile("block.py");
  await page.locator(".view-line", { hasText: "self.ln_1 =" }).first().click();
  const lens = page.locator(".codelens-decoration a").filter({ hasText: "Diagnose depth" });
  await expect.poll(() => lens.first().textContent(), { timeout: 30_000 }).toMatch(/⟦.*⟧/);

  const action = page.locator(".action-widget .monaco-list-row", {
    hasText: marked("Apply LayerNorm Scaling"),
  });
  await expect
    .poll(
      async () => {
        await page.keyboard.press("Escape");
        await page.keyboard.press("Control+.");
        return action
          .first()
          .waitFor({ timeout: 3000 })
          .then(
            () => true,
            () => false,
          );
      },
      { timeout: 60_000 },
    )
    .toBe(true);
  await action.first().click();
  const refusal = workbench.notification(/⟦LayerNorm Scaling was not applied: ⟧/);
  await refusal.waitFor({ timeout: 20_000 });
  // The reader of Python files is a bundle of its own.
  const told = (await refusal.locator(".notification-list-item-message").textContent()) ?? "";
  expect(told).toMatch(/⟦ makes its output the residual stream/);
  await workbench.screenshot("translated-refused");
  await workbench.press(refusal, marked("Show Recipe"));
  await page
    .locator(".view-line", { hasText: /⟦LayerNorm.Scaling:.multiply/ })
    .first()
    .waitFor({ timeout: 20_000 });
  await workbench.screenshot("translated-recipe");

  await workbench.diagnose("pre-ln", step);
  await panel.reaches("done", 120_000);
  expect(await panel.find("html").getAttribute("lang")).toBe(pseudo.language);
  expect(bare((await panel.status().textContent()) ?? "")).toEqual([]);
  // The engine words the verdict, in a process of its own.
  expect(bare(await panel.find(".verdict .sentences").innerText())).toEqual([]);
  await workbench.screenshot("translated-panel");

  await side.open();
  await side.find("svg .mark").first().waitFor();
  expect(await side.find("html").getAttribute("lang")).toBe(pseudo.language);
  expect(bare(await side.find("body").innerText())).toEqual([]);
  await page.locator(".pane-header .title", { hasText: "⟦Checkpoints⟧" }).waitFor();
  await side.row("⟦Reports⟧").waitFor();
  await workbench.screenshot("translated-side");
  expect(workbench.complaints).toEqual([]);
});

const postNorm = `import torch.nn as nn


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = MLP(width)

    def forward(self, x):
        return self.ln_1(x + self.mlp(x))


class Model(nn.Module):
    def __init__(self, width, depth):
        super().__init__()
        self.blocks = nn.ModuleList([Block(width) for _ in range(depth)])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x
`;
