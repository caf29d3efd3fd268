import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { enginesOf, parentOf } from "./support/processes";
import { lastStep, quick, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");
const twin = lastStep("lns");
/** Enough work for a run to be caught in the middle. */
const slow = {
  "fathom.maxTokens": 1_000_000,
  "fathom.metrics": ["variance", "jacobian", "pruning", "sublayers"],
};

let workbench: Workbench;

describe("a run", () => {
  test("is cancelled at once from its notification, and what was measured stays", async () => {
    workbench = await Workbench.again("slow", { settings: slow });
    await workbench.diagnose("pre-ln", step);
    const { panel } = workbench;
    const progress = workbench.notification(`Depth of pre-ln/${step}`);
    await progress.filter({ hasText: /Layer [3-9] \(\d+ of 16\)/ }).waitFor();
    await expect.poll(() => progress.textContent()).toMatch(/about \d+ (s|min|h)\b.* left/);
    await workbench.screenshot("running");
    const [engine] = enginesOf(workbench.extensions);
    expect(engine).toBeDefined();
    await workbench.press(progress, "Cancel");
    await expect.poll(() => enginesOf(workbench.extensions), { timeout: 2000 }).toEqual([]);
    await panel.reaches("failed", 5000);
    expect(await panel.status().textContent()).toMatch(/^Cancelled after layer \d+\.$/);
    await expect.poll(() => progress.count()).toBe(0);
    await workbench.screenshot("cancelled");
  });

  test("is cancelled from the panel, and run again from there", async () => {
    workbench = await Workbench.again("slow", { settings: slow });
    await workbench.diagnose("pre-ln", step);
    const { panel } = workbench;
    await panel.reaches("running");
    await panel.button("Cancel").click();
    await panel.reaches("failed", 5000);
    await panel.button("Run again").click();
    await panel.reaches("running");
    expect(await workbench.tab("Depth of").count()).toBe(1);
    await panel.button("Cancel").click();
    await panel.reaches("failed", 5000);
  });

  test("ends early on request, with a report of what was measured", async () => {
    workbench = await Workbench.again("slow", { settings: slow });
    await workbench.diagnose("pre-ln", step);
    const { panel } = workbench;
    await panel.button("Stop and keep what is measured").click({ timeout: 60_000 });
    await panel.reaches("done");
    expect(await panel.status().textContent()).toContain("Stopped after");
  });

  test("whose engine process is killed says so and offers to run again", async () => {
    workbench = await Workbench.again("slow", { settings: slow });
    await workbench.diagnose("pre-ln", step);
    const { panel } = workbench;
    await workbench
      .notification(`Depth of pre-ln/${step}`)
      .filter({ hasText: /Layer [3-9]/ })
      .waitFor();
    const [engine] = enginesOf(workbench.extensions);
    process.kill(engine!, "SIGKILL");

    const message = workbench.notification("The engine process died by SIGKILL");
    await message.waitFor();
    await panel.reaches("failed", 5000);
    expect(await panel.status().textContent()).toContain("SIGKILL");
    await workbench.screenshot("killed");

    await workbench.press(message, "Run Again");
    await panel.reaches("running");
    await expect.poll(() => enginesOf(workbench.extensions).length).toBe(1);
    expect(enginesOf(workbench.extensions)).not.toContain(engine);
    await panel.button("Cancel").click();
    await panel.reaches("failed", 5000);
  });

  test("of an unsupported checkpoint says so once and shows nothing empty", async () => {
    workbench = await Workbench.again("slow", { settings: slow });
    workbench.writeCheckpoint("pre-ln", "step-999999");
    const config = path.join(workbench.folder, "pre-ln", "step-999999", "config.json");
    const text = readFileSync(config, "utf8");
    writeFileSync(
      config,
      text.replace(/"model_type": *"[^"]*"/, '"model_type": "rwkv", "clip_qkv": 8'),
    );
    await workbench.diagnose("pre-ln", "step-999999");
    const { panel } = workbench;
    await panel.reaches("failed");
    expect(await panel.find(".run-head").textContent()).toBe(
      "This checkpoint cannot be diagnosed.",
    );
    const message = '"model_type" is "rwkv", which is not supported';
    expect(await panel.status().textContent()).toContain(message);
    for (const chart of await panel.charts().all()) expect(await chart.isVisible()).toBe(false);
    expect(await workbench.notification("failed").count()).toBe(0);
    await workbench.screenshot("unsupported");
  });

  test(
    "waits for the one before it, says so, and both panels share a column",
    thorough,
    async () => {
      workbench = await Workbench.again("slow", { settings: slow });
      await workbench.openFile("model.py");
      await workbench.diagnose("pre-ln", step);
      await workbench.panel.reaches("running");
      await workbench.diagnose("lns", twin);
      const waiting = workbench.statusLine(`Waiting for the diagnosis of pre-ln/${step} to end`);
      const waits = waiting.filter({ hasText: `Fathom: lns/${twin} is waiting` });
      await waits.waitFor();
      // The progress of the one leaves the other's line alone.
      await workbench
        .notification(`Depth of pre-ln/${step}`)
        .filter({ hasText: /Layer [3-9]/ })
        .waitFor();
      expect(await waits.count()).toBe(1);
      expect(await workbench.notification(`lns/${twin}`).count()).toBe(0);
      expect(enginesOf(workbench.extensions)).toHaveLength(1);
      await workbench.screenshot("queue");
      expect(await workbench.editorGroups().count()).toBe(2);

      const first = workbench.notification(`Depth of pre-ln/${step}: Layer`);
      await workbench.press(first, "Cancel");
      const second = workbench.notification(`Depth of lns/${twin}: Layer`);
      await second.waitFor();
      expect(await waiting.count()).toBe(0);
      expect(enginesOf(workbench.extensions)).toHaveLength(1);

      // A panel that was hidden is drawn anew when it is looked at again.
      await workbench.tab(`Depth of pre-ln/${step}`).click();
      const { panel } = workbench;
      await expect.poll(() => panel.find("header.checkpoint").textContent()).toContain("pre-ln/");
      await panel.reaches("failed");
      expect(await panel.charts().count()).toBe(3);
      await workbench.press(second, "Cancel");
      await expect.poll(() => enginesOf(workbench.extensions)).toEqual([]);
    },
  );

  test("that is cancelled leaves the report of the run before standing", thorough, async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    await workbench.diagnose("pre-ln", step);
    const { panel } = workbench;
    await panel.reaches("done");
    const held = workbench.holdNextEngine();
    await panel.button("Run again").click();
    await held;
    await panel.reaches("running");
    await panel.button("Cancel").click();
    await panel.reaches("failed", 5000);
    expect(await panel.status().textContent()).toBe(
      "Cancelled. The report of the earlier run stands below.",
    );
    for (const text of await panel.readChart(panel.charts().last()))
      expect(text).toMatch(/Removing layer/);
  });

  test(
    "that ends while nobody looks says so in the status bar, and a click shows it",
    thorough,
    async () => {
      workbench = await Workbench.again("quick", { settings: quick });
      const held = workbench.holdNextEngine();
      await workbench.diagnose("lns", twin);
      const letGo = await held;
      await workbench.panel.reaches("running");
      await workbench.command("View: Close All Editors");
      letGo();
      const told = workbench.statusLine(`The diagnosis of lns/${twin} is done.`);
      await told.waitFor({ timeout: 60_000 });
      expect(await workbench.notification("").count()).toBe(0);
      await workbench.screenshot("told");
      await told.click();
      await workbench.panel.reaches("done");
      await told.waitFor({ state: "hidden" });
    },
  );

  test("with a setting that makes no sense names the setting", thorough, async () => {
    workbench = await Workbench.open("setting", { settings: { "fathom.probes": 0 } });
    await workbench.diagnose("pre-ln", step);
    const message = workbench.notification(
      "The setting fathom.probes is 0; expected a whole number of at least 1.",
    );
    await message.waitFor();
    await workbench.press(message, "Open Settings");
    await workbench.page.locator(".settings-editor", { hasText: "Probes" }).waitFor();
  });

  test("ends with the editor that began it", thorough, async () => {
    workbench = await Workbench.open("orphan", { settings: slow });
    await workbench.diagnose("pre-ln", step);
    await expect.poll(() => enginesOf(workbench.extensions).length).toBe(1);
    const [engine] = enginesOf(workbench.extensions);
    process.kill(parentOf(engine!), "SIGKILL");
    await expect.poll(() => enginesOf(workbench.extensions), { timeout: 30_000 }).toEqual([]);
  });
});
