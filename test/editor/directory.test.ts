import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { themes, useTheme } from "./support/themes";
import { lastStep, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");
const weights = ["pre-ln", step, "model.safetensors"] as const;

let workbench: Workbench;

describe("the tensor directory of a checkpoint", () => {
  test("shows the layers, finds tensors, follows the file and diagnoses", async () => {
    workbench = await Workbench.open("directory", {
      settings: { "fathom.maxTokens": 512, "fathom.metrics": ["variance"] },
    });
    const { panel, page } = workbench;
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await openDirectory();
    // Nobody's default is taken.
    expect(await panel.find("h1").textContent()).toBe(`pre-ln/${step}`);
    await expect.poll(() => panel.find(".facts").textContent()).toMatch(/^safetensors · 1 file · /);
    const facts = panel.find(".fact-list");
    await expect.poll(() => facts.textContent()).toContain("LLaMA · Pre-LN");
    expect(await facts.textContent()).toMatch(/Memoryabout .* float32/);
    expect(await facts.textContent()).toMatch(/Timeabout .* multiply–adds, at an assumed/);
    expect(await titles()).toEqual(
      expect.arrayContaining(["Before the layers", "Layer 0", "Layer 15", "After the layers"]),
    );
    expect(await panel.find(".row.tensor").count()).toBeLessThan(6);

    // By keyboard: from the first row to the end and back to layer 3, which opens.
    const tree = panel.find('[role="treegrid"]');
    await tree.focus();
    await page.keyboard.press("Home");
    for (let row = 0; row < 5; row++) await page.keyboard.press("ArrowDown");
    await expect.poll(() => active().textContent()).toContain("Layer 3");
    expect(await active().getAttribute("aria-expanded")).toBe("false");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => active().getAttribute("aria-expanded")).toBe("true");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => active().getAttribute("aria-level")).toBe("2");
    await page.keyboard.press("Control+c");
    await expect
      .poll(() => panel.find(".found").textContent())
      .toMatch(/^Copied model\.layers\.3\./);
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(
      "model.layers.3.input_layernorm.weight",
    );
    // Copying leaves the keys with the tree.
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => active().textContent()).toContain("Layer 3");

    await panel.find(".filter").fill("q_proj");
    await expect.poll(() => panel.find(".found").textContent()).toBe("16 tensors found");
    expect(await panel.find(".row.tensor").first().textContent()).toContain(
      "self_attn.q_proj.weight",
    );
    await workbench.screenshot("directory-filtered");
    await panel.find(".filter").fill("");

    // What is wrong with the file stands in the page; once it is whole again, so is the page.
    const file = path.join(workbench.folder, ...weights);
    const whole = readFileSync(file);
    truncateSync(file, 5000);
    const problem = panel.find(".problem");
    await expect.poll(() => problem.textContent()).toContain("This file cannot be shown.");
    expect(await problem.textContent()).toContain(file);
    expect(await panel.find("div.content").isVisible()).toBe(false);
    await workbench.screenshot("directory-broken");
    writeFileSync(file, whole);
    await panel.find("div.content").waitFor({ state: "visible" });

    // An architecture that cannot be run leaves the directory.
    const config = path.join(workbench.folder, "pre-ln", step, "config.json");
    const known = readFileSync(config, "utf8");
    writeFileSync(config, JSON.stringify({ model_type: "<b>fancy</b>", clip_qkv: 8 }));
    await expect.poll(() => facts.textContent()).toContain("Cannot be diagnosed");
    expect(await facts.textContent()).toContain("<b>fancy</b>");
    expect(await titles()).toContain("Layer 0");
    expect(await panel.button("Diagnose Depth").getAttribute("disabled")).not.toBeNull();
    await workbench.screenshot("directory-unsupported");
    writeFileSync(config, known);
    await expect.poll(() => facts.textContent()).toContain("LLaMA · Pre-LN");

    await panel.button("Diagnose Depth").click();
    await workbench.tab("Depth of").waitFor();
    expect(workbench.complaints).toEqual([]);
  });
});

describe("the tensor directory of a checkpoint, thoroughly", thorough, () => {
  test("in every theme", async () => {
    workbench = await Workbench.open("directory-themes", { size: { width: 1400, height: 900 } });
    const { panel } = workbench;
    await openDirectory();
    await panel.find(".fact-list").waitFor();
    await panel.find('.row.part:has-text("Layer 2")').first().click();
    await panel.find(".row.tensor").nth(3).click();
    for (const theme of themes) {
      await useTheme(workbench, theme, {});
      await workbench.page.waitForTimeout(800);
      await workbench.screenshot(`directory-${theme[0]}`);
    }
    await workbench.page.setViewportSize({ width: 900, height: 800 });
    await workbench.page.waitForTimeout(500);
    await workbench.screenshot("directory-narrow");
    expect(workbench.complaints).toEqual([]);
  });
});

async function openDirectory(): Promise<void> {
  await workbench.openFile(...weights);
  const tab = workbench.tab("model.safetensors");
  await workbench.choose(tab, "Reopen Editor With");
  await workbench.pick("Fathom Tensor Directory");
  await workbench.panel.find('[role="treegrid"]').waitFor({ timeout: 30_000 });
}

async function titles(): Promise<string[]> {
  const names = await workbench.panel.find(".row.part .name").allTextContents();
  return names.map((name) => name.replace(/ model\..*/, "").trim());
}

function active(): ReturnType<typeof workbench.panel.find> {
  return workbench.panel.find(".row.active");
}
