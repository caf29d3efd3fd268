import { readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { Probe, wakeProbe } from "./support/probe";
import { SidePage } from "./support/sidePage";
import { lastStep, quick, repository, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");
const config = JSON.parse(
  readFileSync(path.join(repository, "media/sample/pre-ln", step, "config.json"), "utf8"),
);
const layers: number = config.num_hidden_layers;

let workbench: Workbench;

describe("Diagnose Depth", () => {
  test("a checkpoint's folder, beside the training code", async () => {
    workbench = await Workbench.open("folder");
    await workbench.openFile("model.py");
    const held = workbench.holdNextEngine();
    await workbench.diagnose("pre-ln", step);
    const letGo = await held;
    const progress = workbench.notification(`Depth of pre-ln/${step}`);
    await progress.waitFor();
    const { panel } = workbench;
    await panel.reaches("running");
    letGo();
    await panel.reaches("done");
    await expect.poll(() => progress.count()).toBe(0);
    await workbench.screenshot("done");

    // The training code stays on screen, and the panel stands beside it.
    const groups = workbench.editorGroups();
    expect(await groups.count()).toBe(2);
    expect(await groups.first().locator(".tab.active").textContent()).toContain("model.py");
    expect(await groups.last().locator(".tab.active").textContent()).toContain(
      `Depth of pre-ln/${step}`,
    );

    expect(await panel.charts().count()).toBe(3);
    for (const chart of await panel.charts().all()) {
      const texts = await panel.readChart(chart);
      expect(texts).toHaveLength(layers);
      // Every layer has a figure: none reads as not measured.
      for (const [index, text] of texts.entries()) {
        expect(text).toMatch(new RegExp(`^Layer ${index}: .*\\d`));
        expect(text).not.toMatch(/not measured/);
      }
    }
    expect(await panel.rows().count()).toBe(layers);
    expect(workbench.complaints).toEqual([]);
  });

  test(
    "is offered where a checkpoint is in sight; a search waits until all are asked for",
    thorough,
    async () => {
      // What the explorer shows is heard of whatever it decorates.
      const settings = {
        "explorer.decorations.badges": false,
        "explorer.decorations.colors": false,
      };
      workbench = await Workbench.open("menu", { settings, prepare: wakeProbe });
      const row = await workbench.reach("pre-ln", step);
      await workbench.openContextMenu(row, "Diagnose Depth");
      await workbench.page.keyboard.press("Escape");
      expect(await workbench.menuTitles(workbench.row("pre-ln"))).not.toContain("Diagnose Depth");
      expect(await workbench.menuTitles(workbench.row("model.py"))).not.toContain("Diagnose Depth");

      const probe = await Probe.in(workbench.folder);
      expect(await probe.searches()).toBe(0);
      const side = new SidePage(workbench.page);
      await side.open();
      await side.row("step-250").nth(1).waitFor();
      expect(await probe.searches()).toBe(1);
    },
  );

  test("from the command palette, which asks for the checkpoint", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    await workbench.command("Fathom: Diagnose Depth");
    const picks = workbench.picks();
    const steps = [...stepsOf("lns"), ...stepsOf("pre-ln")];
    await expect.poll(() => picks.count()).toBe(steps.length + 2);
    const texts = await picks.allTextContents();
    for (const name of steps) expect(texts.some((text) => text.includes(name))).toBe(true);
    await workbench.pick(`lns/${lastStep("lns")}`);
    await workbench.panel.reaches("done");
    expect(await workbench.panel.find("header.checkpoint").textContent()).toMatch(/lns/i);

    await workbench.command("Fathom: Diagnose Depth");
    await expect.poll(() => picks.first().textContent()).toContain("diagnosed last");
    await workbench.page.keyboard.press("Escape");
  });

  test("hovering a layer highlights it in the table and in all charts", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    await workbench.diagnose("pre-ln", step);
    const { panel } = workbench;
    await panel.reaches("done");
    await panel.find('tr[data-layer="5"]').hover();
    for (const chart of await panel.charts().all()) {
      await expect.poll(() => chart.getAttribute("aria-valuenow")).toBe("5");
    }
    await panel.charts().first().hover();
    const hovered = await panel.charts().first().getAttribute("aria-valuenow");
    expect(await panel.charts().last().getAttribute("aria-valuenow")).toBe(hovered);
    expect(await panel.find("tr.highlighted").getAttribute("data-layer")).toBe(hovered);
  });

  test("its weight file and its folder are one checkpoint with one panel", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    const held = workbench.holdNextEngine();
    await workbench.diagnose("pre-ln", "step-2000");
    const letGo = await held;
    await workbench.panel.reaches("running");
    await workbench.diagnose("pre-ln", "step-2000", "model.safetensors");
    letGo();
    await workbench.panel.reaches("done");
    expect(await workbench.tab("Depth of").count()).toBe(1);
  });

  test("from the title of an open weight file", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    await workbench.openFile("pre-ln", step, "model.safetensors");
    await workbench.page.locator('.editor-actions [aria-label="Diagnose Depth"]').click();
    await workbench.panel.reaches("done");
  });

  test("a checkpoint written while the window is open is found", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    await workbench.reach("pre-ln", step);
    await workbench.watchesFiles();
    workbench.writeCheckpoint("pre-ln", "step-999999");
    await workbench.diagnose("pre-ln", "step-999999");
    await workbench.panel.reaches("done");
  });
});

describe("Diagnose Depth, thoroughly", thorough, () => {
  test("a checkpoint without a tokenizer leads to the setting of token ids", async () => {
    const prepare = (folder: string): void => {
      rmSync(path.join(folder, "pre-ln", step, "tokenizer.json"));
    };
    workbench = await Workbench.open("no-tokenizer", { prepare });
    await workbench.diagnose("pre-ln", step);
    await workbench.panel.reaches("failed");
    await workbench.screenshot("no-tokenizer");
    await workbench.panel.button("Choose a file of token ids").click();
    const setting = workbench.page.locator(".settings-editor", { hasText: "Tokens File" });
    await setting.waitFor();
    await workbench.screenshot("tokens-setting");
  });
});

function stepsOf(twin: string): string[] {
  const folder = path.join(repository, "media", "sample", twin);
  return readdirSync(folder)
    .filter((name) => name.startsWith("step-"))
    .map((name) => `${twin}/${name}`);
}
