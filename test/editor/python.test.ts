import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, test, vi } from "vitest";
import { lastStep, repository, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

let workbench: Workbench;

const lenses = (text: string | RegExp) =>
  workbench.page.locator(".codelens-decoration a").filter({ hasText: text });

describe("training code", () => {
  test("shows the numbers of its model above the norms, and their table behind them", async () => {
    workbench = await Workbench.open("lenses", {
      settings: {
        "fathom.metrics": ["variance", "jacobian", "pruning", "sublayers"],
        "fathom.maxTokens": 512,
      },
      files: {
        "model.py": readFileSync(path.join(repository, "media", "sample", "model.py"), "utf8")
          .replace("import torch\n", "import torch\nfrom layers import Normalised\n")
          .replace("class Model(nn.Module):", "class Model(Normalised):"),
        "layers.py": baseClass,
      },
    });
    await workbench.openFile("model.py");
    await goTo("class DecoderLayer");
    // Nothing has been measured yet: the norms offer to.
    await lenses("Diagnose depth").first().waitFor({ timeout: 30_000 });
    await workbench.diagnose("pre-ln", step);
    await workbench.panel.reaches("done", 120_000);
    const measuredRows = await workbench.panel.rows().allTextContents();
    await workbench.tab("model.py").click();
    await goTo("class DecoderLayer");
    const measured = lenses(/σ² [\d.]+ → [\d.]+ [▁-█]+/);
    await expect.poll(() => measured.count(), { timeout: 20_000 }).toBe(2);
    await workbench.screenshot("lenses");
    // Each norm says what is its own.
    for (const [made, sublayer] of [
      ["self.input_layernorm =", "attention"],
      ["self.post_attention_layernorm =", "feed-forward"],
    ] as const) {
      const text = await (await lensAbove(made)).textContent();
      expect(text).toMatch(new RegExp(`‖${sublayer}‖/‖x‖ [\\d.]+ → [\\d.]+ [▁-█]+`));
      expect(text).toMatch(/‖J−I‖ [\d.]+ → [\d.]+/);
      expect(text).toContain(`of 16 ${sublayer}s nearly free to remove`);
    }

    const norm = workbench.page.locator(".view-line", { hasText: "self.input_layernorm =" });
    await norm.locator("span", { hasText: "RMSNorm" }).last().hover();
    const hover = workbench.page.locator(".monaco-hover table");
    await hover.waitFor({ timeout: 15_000 });
    // Each layer has its row, with the figure that the panel's table has.
    const rows = await hover.locator("tbody tr").all();
    expect(rows).toHaveLength(16);
    const heads = trimmed(await hover.locator("thead th").allTextContents());
    expect(heads.slice(0, 4)).toEqual([
      ...["layer", "attention verdict", "‖attention‖/‖x‖", "attention ΔNLL"],
    ]);
    for (const [layer, row] of rows.entries()) {
      const cells = trimmed(await row.locator("td").allTextContents());
      const variance = cells[heads.indexOf("variance")];
      expect(cells[0]).toBe(String(layer));
      expect(variance).toMatch(/^[\d.]+ ± [\d.]+$/);
      expect(measuredRows[layer]).toContain(variance);
    }
    await workbench.screenshot("norm-hover");
    await workbench.page.keyboard.press("Escape");

    await workbench.tab(`Depth of pre-ln/${step}`).click({ button: "middle" });
    await (await lensAbove("self.input_layernorm =")).click();
    await workbench.tab(`Depth of pre-ln/${step}`).waitFor();
    // The panel says at which norm it was opened, and shows that before all else.
    const line = workbench.panel.find(".norm-line p");
    await expect
      .poll(() => line.textContent())
      .toBe("model.layers.*.input_layernorm · before the attention of every layer, 0 to 15");
    expect((await line.boundingBox())!.y).toBeLessThan(250);
    await workbench.screenshot("panel-at-norm");

    // From another norm the same panel goes to that one, its single layer or place.
    await workbench.tab("model.py").click();
    await goTo("self.norm = RMSNorm(");
    await (await lensAbove("self.norm = RMSNorm(")).click();
    await expect
      .poll(() => line.textContent())
      .toBe("model.norm · after the last layer, before the head");
    await workbench.panel.button("Dismiss").click();
    await line.waitFor({ state: "hidden" });
    expect(await workbench.tab("Depth of").count()).toBe(1);

    await workbench.tab("model.py").click();
    await goTo("class DecoderLayer");
    await expect.poll(() => measured.count()).toBeGreaterThanOrEqual(2);
    // Of a norm that the checkpoint does not have, nothing was measured.
    await norm.locator("span", { hasText: "input_layernorm" }).last().dblclick();
    await workbench.page.keyboard.type("first_norm");
    const haveLenses = async (): Promise<boolean[]> => [
      (await findLens("self.first_norm =")) !== undefined,
      (await findLens("self.post_attention_layernorm =")) !== undefined,
    ];
    await expect.poll(haveLenses, { timeout: 20_000 }).toEqual([false, true]);
    await workbench.screenshot("lens-vanished");
    // What was typed may be undone in more than one step.
    const undo = async (): Promise<number> => {
      if ((await norm.count()) === 0) await workbench.page.keyboard.press("Control+z");
      return norm.count();
    };
    await expect.poll(undo, { interval: 500 }).toBe(1);
    await lensAbove("self.input_layernorm =");
    await expect.poll(() => measured.count(), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);

    writeSettings({ "fathom.codeLens": false });
    await expect.poll(() => measured.count(), { timeout: 20_000 }).toBe(0);
    writeSettings({});
    await expect.poll(() => measured.count(), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);

    // What another file makes decides whose norm this is: a norm of the base class that the model
    // overrides is none of the checkpoint's, until the model has its own under another name.
    await workbench.tab("Depth of").click({ button: "middle" });
    await goTo("self.norm = RMSNorm(");
    await workbench.command("View: Split Editor Right");
    await workbench.openFile("layers.py");
    const inherited = "self.norm = RMSNorm(size)";
    await workbench.page.locator(".view-line", { hasText: inherited }).waitFor();
    expect(await findLens(inherited)).toBeUndefined();
    const own = workbench.page.locator(".view-line", { hasText: "self.norm = RMSNorm(config" });
    await own.first().locator("span", { hasText: ".norm" }).last().dblclick();
    await workbench.page.keyboard.type("last_norm");
    await lensAbove(inherited);
    expect(await findLens("self.last_norm = RMSNorm(config")).toBeUndefined();
    await workbench.screenshot("lens-follows-other-file");
    const undoName = async (): Promise<number> => {
      if ((await own.count()) === 0) await workbench.page.keyboard.press("Control+z");
      return own.count();
    };
    await expect.poll(undoName, { interval: 500 }).toBe(1);
    await expect.poll(() => findLens(inherited), { timeout: 20_000 }).toBeUndefined();
    await lensAbove("self.norm = RMSNorm(config");
  });

  test(
    "asks which of two models a checkpoint is of, and remembers it for the file",
    thorough,
    async () => {
      const model = readFileSync(path.join(repository, "media", "sample", "model.py"), "utf8");
      workbench = await Workbench.open("two-models", {
        settings: { "fathom.metrics": ["variance"] },
        files: { "model_lns.py": model },
      });
      const measured = lenses(/σ² [\d.]+ → [\d.]+ [▁-█]+/);
      const question = lenses("Two models fit: choose…");
      await workbench.openFile("model.py");
      await goTo("class DecoderLayer");
      await workbench.diagnose("pre-ln", step);
      await workbench.panel.reaches("done", 120_000);
      await workbench.tab("model.py").click();
      await goTo("class DecoderLayer");
      await question.first().waitFor({ timeout: 20_000 });
      expect(await measured.count()).toBe(0);
      await workbench.screenshot("two-models-fit");

      await question.first().click();
      await workbench
        .picks()
        .filter({ hasText: `pre-ln/${step}` })
        .first()
        .waitFor();
      await workbench.screenshot("choose-model");
      await workbench.pick(`pre-ln/${step}`);
      await expect.poll(() => measured.count(), { timeout: 20_000 }).toBeGreaterThanOrEqual(2);

      // The copy is another model now, which has not been measured.
      await workbench.openFile("model_lns.py");
      await goTo("class DecoderLayer");
      await lenses("Diagnose depth").first().waitFor({ timeout: 20_000 });
      expect(await measured.count()).toBe(0);
      expect(await question.count()).toBe(0);
      await lenses("Choose checkpoint…").first().waitFor({ timeout: 20_000 });
      await workbench.screenshot("choose-from-offer");

      await workbench.reload();
      await workbench.tab("model.py").click();
      await goTo("class DecoderLayer");
      await expect.poll(() => measured.count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(2);
      const norm = workbench.page.locator(".view-line", { hasText: "self.input_layernorm =" });
      await norm.locator("span", { hasText: "RMSNorm" }).last().hover();
      const link = workbench.page.locator(".monaco-hover a", {
        hasText: "Choose the checkpoint of",
      });
      await link.waitFor({ timeout: 15_000 });
      await link.scrollIntoViewIfNeeded();
      await workbench.screenshot("choose-from-hover");
      await link.click();
      await workbench.picks().filter({ hasText: "Unpin" }).first().waitFor();
      await workbench.page.keyboard.press("Escape");
      await workbench.command("Unpin Checkpoint of This File");
      await question.first().waitFor({ timeout: 20_000 });
    },
  );
});

function trimmed(cells: readonly string[]): string[] {
  return cells.map((cell) => cell.trim());
}

/** The lens with measured numbers that stands above a line that is in sight, once it does. */
function lensAbove(text: string): Promise<Locator> {
  return vi.waitUntil(() => findLens(text), { timeout: 20_000, interval: 300 });
}

async function findLens(text: string): Promise<Locator | undefined> {
  const line = workbench.page.locator(".view-line", { hasText: text }).first();
  const place = await line.boundingBox();
  if (place === null) return undefined;
  for (const lens of await lenses("σ²").all()) {
    // It may vanish while it is looked at.
    const box = await lens.boundingBox({ timeout: 500 }).catch(() => null);
    if (box === null || Math.abs(box.x - place.x) > 400) continue;
    if (box.y < place.y && box.y > place.y - 1.5 * place.height) return lens;
  }
  return undefined;
}

function writeSettings(settings: Record<string, unknown>): void {
  writeFileSync(
    path.join(workbench.folder, ".vscode", "settings.json"),
    JSON.stringify({ "fathom.textFiles": ["held-out.txt"], ...settings }),
  );
}

/** Goes to a line of the model's code, or of its copy. */
function goTo(text: string): Promise<void> {
  return workbench.goToLine("model.py", text);
}

const baseClass = `import torch.nn as nn


class RMSNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))


class Normalised(nn.Module):
    def __init__(self, size=64):
        super().__init__()
        self.norm = RMSNorm(size)
`;
