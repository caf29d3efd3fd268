import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { tokensOf } from "../unit/support/checkpoints";
import { written } from "../unit/support/idioms";
import { thorough, Workbench } from "./support/workbench";

let workbench: Workbench;

/** A checkpoint of somebody's own code in the workspace, without a config, and token ids for it. */
function prepare(folder: string): void {
  const own = path.join(folder, "own");
  mkdirSync(own);
  written(own, "of nn.TransformerEncoderLayer");
  writeFileSync(path.join(folder, "tokens.json"), JSON.stringify(tokensOf("gpt2")));
}

const settings = {
  "fathom.textFiles": [],
  "fathom.tokensFile": "tokens.json",
  "fathom.metrics": ["variance"],
};

describe("fathom.json", () => {
  test("is written by Describe This Architecture, asks before it is replaced, and is checked", async () => {
    workbench = await Workbench.open("statement", { settings, prepare });
    const { page } = workbench;
    const file = path.join(workbench.folder, "own", "fathom.json");
    const row = await workbench.reach("own", "model.safetensors");
    const item = await workbench.openContextMenu(row, "Describe This Architecture");
    await page.waitForTimeout(300);
    await item.click();
    await workbench.tab("fathom.json").waitFor();
    const statement = readFileSync(file, "utf8");
    expect(JSON.parse(statement)).toMatchObject({
      guess: { norm: "pre-ln" },
      roles: { "encoder.layers.{layer}.linear1.weight": "feed-forward up" },
    });
    expect(await page.locator(".squiggly-warning").count()).toBe(0);
    await workbench.screenshot("statement-described");

    // What is there is not lost without a word.
    writeFileSync(file, JSON.stringify({ reading: { norm: "post-ln" } }, undefined, 2));
    const again = await workbench.openContextMenu(row, "Describe This Architecture");
    await page.waitForTimeout(300);
    await again.click();
    const dialog = page.locator(".monaco-dialog-box");
    await dialog.waitFor();
    expect(await dialog.textContent()).toContain("fathom.json is there already.");
    await workbench.screenshot("statement-replace");
    await dialog.locator(".monaco-button", { hasText: "Cancel" }).click();
    expect(readFileSync(file, "utf8")).toContain("post-ln");

    // The schema completes what the reader takes, and marks what it does not.
    writeFileSync(file, '{\n  "reading": {\n    "rotary": "sideways",\n    "norm": ""\n  }\n}\n');
    await page.locator(".view-lines").getByText("sideways").waitFor();
    await expect.poll(() => page.locator(".squiggly-warning").count()).toBeGreaterThan(0);
    await page.locator(".view-line", { hasText: '"norm"' }).click();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Control+Space");
    const suggestions = page.locator(".suggest-widget .monaco-list-row");
    await expect
      .poll(async () => (await suggestions.allTextContents()).join(" "), { timeout: 15_000 })
      .toContain("post-ln");
    await workbench.screenshot("statement-completion");
    expect(workbench.complaints).toEqual([]);
  });
});

describe("fathom.json, thoroughly", thorough, () => {
  test("need not be written where a person chooses among the readings; the choice is kept", async () => {
    workbench = await Workbench.open("readings", { settings, prepare });
    const { page, panel } = workbench;
    await workbench.diagnose("own", "model.safetensors");
    const title = page.locator(".quick-input-title");
    await expect.poll(() => title.textContent(), { timeout: 60_000 }).toBe("How Is own Read?");
    const picks = await workbench.picks().allTextContents();
    expect(picks[0]).toMatch(/^The reading that predicts best.* nats a token/);
    await panel.reaches("failed");
    await workbench.screenshot("readings-asked");
    await workbench.picks().first().click();
    await expect
      .poll(() => panel.find("body").textContent(), { timeout: 30_000 })
      .toContain("chosen by you");
    await panel.reaches("done");
    await workbench.screenshot("readings-chosen");
    expect(existsSync(path.join(workbench.folder, "own", "fathom.json"))).toBe(false);

    // It is asked for once: the next window takes it.
    await page.keyboard.press("Escape");
    await workbench.reload();
    await workbench.command("View: Close All Editors");
    await workbench.diagnose("own", "model.safetensors");
    await panel.reaches("done");
    expect(await panel.find("body").textContent()).toContain("chosen by you");

    const row = await workbench.reach("own", "model.safetensors");
    const item = await workbench.openContextMenu(row, "Choose How to Read");
    await page.waitForTimeout(300);
    await item.click();
    await expect.poll(() => title.textContent()).toBe("How Is own Read?");
    await expect
      .poll(async () => (await workbench.picks().allTextContents()).join(" "))
      .toContain("Forget the choice");
    expect((await workbench.picks().allTextContents()).join(" ")).toContain("chosen by you");
    await workbench.screenshot("readings-change");
    await workbench.pick("Forget the choice");
    // It is asked anew, once nothing tells again.
    await expect
      .poll(async () => (await workbench.picks().allTextContents()).slice(0, 2), {
        timeout: 60_000,
      })
      .toEqual([
        expect.stringMatching(/^The reading that predicts best/),
        expect.stringContaining("Describe this architecture"),
      ]);
    await workbench.pick("Describe this architecture");
    await workbench.tab("fathom.json").waitFor();
    expect(workbench.complaints).toEqual([]);
  });
});
