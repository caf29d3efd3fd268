import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { enginesOf } from "./support/processes";
import { lastStep, quick, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");

let workbench: Workbench;

describe("a stored report", () => {
  test("opens at once while nothing has changed, and is measured anew on request", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    const { panel } = workbench;
    await workbench.diagnose("pre-ln", step);
    await panel.reaches("done");
    expect(await panel.status().textContent()).toMatch(/^Measured in/);
    const figures = await panel.rows().allTextContents();

    // Also after the panel was closed, for the weight file, and in the next window.
    await workbench.page.keyboard.press("Escape");
    await workbench.reload();
    await workbench.command("View: Close All Editors");
    await workbench.diagnose("pre-ln", step, "model.safetensors");
    await panel.reaches("done", 10_000);
    expect(await panel.status().textContent()).toMatch(
      /^Measured on \d+ \w+ \d{4}, \d\d:\d\d, in .*; checkpoint, text and settings are unchanged$/,
    );
    expect(await panel.rows().allTextContents()).toEqual(figures);
    expect(enginesOf(workbench.extensions)).toEqual([]);
    await workbench.screenshot("stored");

    await runsThrough(() => panel.button("Run again").click());
    expect(await panel.status().textContent()).toMatch(/^Measured in/);

    // Another text is another measurement.
    writeFileSync(path.join(workbench.folder, "held-out.txt"), "It was a dark night. ".repeat(200));
    await runsThrough(() => workbench.diagnose("pre-ln", step));
    expect(await panel.rows().allTextContents()).not.toEqual(figures);
    expect(workbench.complaints).toEqual([]);
  });
});

describe("a stored report, thoroughly", thorough, () => {
  test("is not made of a run that was stopped", async () => {
    workbench = await Workbench.open("stopped", { settings: { "fathom.maxTokens": 1_000_000 } });
    const { panel } = workbench;
    await workbench.diagnose("pre-ln", step);
    await panel.button("Stop and keep what is measured").click({ timeout: 60_000 });
    await panel.reaches("done");
    const held = workbench.holdNextEngine();
    await workbench.diagnose("pre-ln", step);
    await held;
    await panel.reaches("running");
    await panel.button("Cancel").click();
    await panel.reaches("failed", 5000);
  });
});

describe("a reload of the window, thoroughly", thorough, () => {
  test("leaves the panel with its report and what was chosen in it", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    const { panel } = workbench;
    await workbench.openFile("model.py");
    await workbench.diagnose("pre-ln", step);
    await panel.reaches("done");
    await panel.find('tr[data-layer="5"]').click();
    await workbench.writesDown('"layer":5');
    await workbench.reload();
    await panel.reaches("done", 30_000);
    expect(await panel.status().textContent()).toMatch(/^Measured on/);
    expect(await panel.find("header.checkpoint").textContent()).toContain(`pre-ln/${step}`);
    await expect.poll(() => panel.charts().first().getAttribute("aria-valuenow")).toBe("5");
    expect(await workbench.tab("Depth of").count()).toBe(1);
    await workbench.screenshot("reloaded");

    // It is the report that commands speak of, and the panel that the next diagnosis is shown in.
    await workbench.command("Fathom: Export Report");
    await workbench.pick("CSV");
    const file = workbench.exportPath(`fathom-pre-ln-${step}.csv`);
    await workbench.saveAs(file);
    await workbench.statusLine(`Exported to ${file}`).waitFor();
    await runsThrough(() => panel.button("Run again").click());
    expect(await workbench.tab("Depth of").count()).toBe(1);
  });

  test("during a run says that nothing is stored, and offers to run again", async () => {
    workbench = await Workbench.open("reload-run", { settings: quick });
    const { panel } = workbench;
    const held = workbench.holdNextEngine();
    await workbench.diagnose("pre-ln", step);
    await held;
    await panel.reaches("running");
    await workbench.writesDown('"source":{');
    await workbench.reload();
    const empty = panel.find('.run-bar[data-phase="empty"]');
    await empty.waitFor({ timeout: 30_000 });
    expect(await panel.status().textContent()).toContain("No finished report");
    await workbench.screenshot("reloaded-run");
    const heldAgain = workbench.holdNextEngine();
    await panel.button("Run again").click();
    await heldAgain;
    await panel.reaches("running");
    await panel.button("Cancel").click();
    await panel.reaches("failed", 5000);
  });
});

describe("a .fathom.json file", () => {
  test("opens in the panel, follows the file, and exports", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    const { panel } = workbench;
    await workbench.diagnose("pre-ln", step);
    await panel.reaches("done");
    const file = path.join(workbench.folder, "review.fathom.json");
    await panel.button("JSON").click();
    await workbench.saveAs(file);
    const exported = workbench.statusLine(`Exported to ${file}`);
    await exported.waitFor();
    await workbench.command("View: Close All Editors");

    await workbench.openFile("review.fathom.json");
    await panel.reaches("done");
    expect(await panel.status().textContent()).toMatch(/^Report from a file, measured in/);
    expect(await panel.find("h1").textContent()).toBe("review");
    expect(await panel.charts().count()).toBe(3);
    expect(await panel.button("Run again").isVisible()).toBe(false);
    await workbench.screenshot("file-report");

    const text = readFileSync(file, "utf8");
    const report = JSON.parse(text);
    report.findings[0].text = "The reviewer wrote this.";
    writeFileSync(file, JSON.stringify(report));
    const verdict = panel.find(".verdict");
    await expect.poll(() => verdict.textContent()).toContain("The reviewer wrote this.");

    await workbench.page.locator('.editor-actions [aria-label="Export Report…"]').click();
    await workbench.pick("PNG");
    const picture = workbench.exportPath("fathom-review.png");
    await workbench.saveAs(picture);
    await workbench.statusLine(`Exported to ${picture}`).waitFor();
    expect(readFileSync(picture).subarray(1, 4).toString("latin1")).toBe("PNG");

    // It is compared with what is chosen from its title; the file itself is ticked already.
    await workbench.page.locator('.editor-actions [aria-label="Compare Depth"]').click();
    await expect.poll(() => workbench.picks().first().textContent()).toBe("review.fathom.json");
    const count = workbench.page.locator(".quick-input-count");
    await expect.poll(() => count.textContent()).toBe("1 Selected");
    await workbench.pick(`pre-ln/${step}`);
    await workbench.page.locator(".quick-input-widget .monaco-button", { hasText: "OK" }).click();
    await workbench.tab("Compare review, pre-ln").waitFor();
    await expect.poll(() => panel.find("h1").textContent()).toBe(`review · pre-ln/${step}`);
    await panel.find("tr[data-layer]").last().waitFor();
    expect(await panel.status().textContent()).toBe("2 reports, all measured");
    await workbench.screenshot("file-report-compared");
    expect(workbench.complaints).toEqual([]);
  });

  test("that is no report says what is wrong, until it is put right", async () => {
    workbench = await Workbench.again("quick", { settings: quick });
    const { panel } = workbench;
    const file = path.join(workbench.folder, "wrong.fathom.json");
    await workbench.watchesFiles();
    writeFileSync(file, '{"schemaVersion":1,"checkpoint":{"path":"<b>x</b>","format":7}}');
    await workbench.openFile("wrong.fathom.json");
    await panel.find('.run-bar[data-phase="empty"]').waitFor();
    const words = (): Promise<string | null> => panel.status().textContent();
    expect(await words()).toContain("checkpoint.format: expected a text; found 7.");
    expect(await panel.charts().first().isVisible()).toBe(false);
    await workbench.screenshot("file-wrong");

    writeFileSync(file, "{");
    await expect.poll(words).toContain("It is not JSON");
    rmSync(file);
    await expect.poll(words).toContain("It does not exist any more.");
  });
});

describe("a .fathom.json file, thoroughly", thorough, () => {
  test("comes back after a reload", async () => {
    workbench = await Workbench.open("file-reload", { files: { "wrong.fathom.json": "[]" } });
    const { panel } = workbench;
    await workbench.openFile("wrong.fathom.json");
    await panel.find('.run-bar[data-phase="empty"]').waitFor();
    await workbench.writesDown("wrong.fathom.json");
    await workbench.reload();
    await panel.find('.run-bar[data-phase="empty"]').waitFor({ timeout: 30_000 });
    expect(await panel.status().textContent()).toContain("not a report of Fathom");
  });
});

/** Begins a run, sees that it is one, and waits for its end. */
async function runsThrough(begin: () => Promise<void>): Promise<void> {
  const held = workbench.holdNextEngine();
  await begin();
  const letGo = await held;
  await workbench.panel.reaches("running");
  letGo();
  await workbench.panel.reaches("done");
}
