import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Locator } from "playwright-core";
import { describe, expect, test } from "vitest";
import { sampleReport } from "../unit/report/sampleReport";
import { SidePage } from "./support/sidePage";
import { lastStep, quick, thorough, Workbench, type WorkbenchOptions } from "./support/workbench";

const step = lastStep("pre-ln");

let workbench: Workbench;
let side: SidePage;

async function open(name: string, options: WorkbenchOptions = {}): Promise<void> {
  workbench = await Workbench.open(name, {
    settings: quick,
    ...options,
    size: { width: 1500, height: 1100 },
  });
  side = new SidePage(workbench.page);
}

/** Opens a file by its path, which leaves the side panel open. */
async function goTo(...names: string[]): Promise<void> {
  const input = await workbench.askFor("F1");
  await input.fill(names.join("/"));
  await workbench.pick(names.at(-1)!);
}

/** Puts the cursor into a text that is in sight. */
async function clickIn(text: string): Promise<void> {
  const line = workbench.page.locator(".view-line", { hasText: text });
  await line.getByText(text).first().click();
}

/** On a shared machine a webview takes its time. */
const patient = { timeout: 60_000 };

/** What the charts say in place of charts. */
const emptyText = (): Promise<string | null> => side.find(".empty p").textContent();

async function measure(...names: [string, string]): Promise<void> {
  await workbench.diagnose(...names);
  // The panel of another checkpoint may stand there until this one's has come.
  const name = (): Promise<string | null> => workbench.panel.find("h1").textContent();
  await expect.poll(name, patient).toBe(names.join("/"));
  await workbench.panel.reaches("done");
}

describe("the side panel in every theme, thoroughly", thorough, () => {
  test("narrow and wide", async () => {
    await open("side-themes");
    await workbench.openFile("model.py");
    await measure("pre-ln", step);
    await side.open();
    await side.name().waitFor();
    await side.find("svg .mark").first().waitFor();
    for (const [name, theme] of [
      ["light", "Default Light Modern"],
      ["dark", "Default Dark Modern"],
      ["high-contrast", "Default High Contrast"],
      ["high-contrast-light", "Default High Contrast Light"],
    ] as const) {
      writeFileSync(
        path.join(workbench.folder, ".vscode", "settings.json"),
        JSON.stringify({ "workbench.colorTheme": theme, "fathom.textFiles": ["held-out.txt"] }),
      );
      const bodyClass = `vscode-${name}`;
      await expect
        .poll(() => side.find("body").getAttribute("class"), { timeout: 20_000 })
        .toContain(bodyClass);
      for (const width of [300, 600]) {
        await side.widenTo(width);
        await workbench.page.waitForTimeout(700);
        await workbench.screenshot(`side-${name}-${width}`);
      }
    }
    expect(workbench.complaints).toEqual([]);
  });
});

describe("the tree", () => {
  test("lists checkpoints by folder and what they measured; opens, deletes and brings back", async () => {
    await open("side-tree");
    await side.open();
    await side.row("step-250").first().waitFor();
    await expect
      .poll(() => side.rows().allTextContents())
      .toEqual([
        "Checkpoints",
        "lns",
        "step-250",
        "step-1000",
        "step-2000",
        "step-2600",
        "pre-ln",
        "step-250",
        "step-1000",
        "step-2000",
        "step-2600",
        "Reportsnone yet",
      ]);
    await workbench.screenshot("side-tree-unmeasured");

    // From the row to the figures beside it.
    await side.pressOn(side.rows().nth(10), "Diagnose Depth");
    await workbench.panel.reaches("done");
    await side.row(/^step-2600ppl .* needed$/).waitFor();
    const report = side.row(/^pre-ln\/step-2600ppl .* needed · just now$/);
    await report.waitFor();

    await workbench.command("View: Close All Editors");
    await report.click();
    await workbench.panel.reaches("done", 20_000);
    expect(await workbench.panel.status().textContent()).toMatch(/^Measured on/);

    await side.pressOn(report, "Delete Report");
    await report.waitFor({ state: "detached" });
    const message = workbench.notification("Fathom deleted the report of pre-ln/step-2600.");
    await workbench.press(message, "Undo");
    await report.waitFor();

    // The key deletes what is selected.
    await report.click();
    await workbench.page.keyboard.press("Delete");
    await report.waitFor({ state: "detached" });
  });

  test(
    "lists report files with their figures, which open, are measured, revealed and deleted",
    thorough,
    async () => {
      const review = sampleReport({ layers: 4 });
      const here = sampleReport({ layers: 8, seed: 2 });
      await open("side-files", {
        files: {
          "review.fathom.json": JSON.stringify(review),
          "broken.fathom.json": "{}",
        },
        prepare: (folder) => {
          mkdirSync(path.join(folder, ".git"));
          writeFileSync(path.join(folder, ".gitignore"), "lns/\n");
          const checkpoint = { ...here.checkpoint, path: path.join(folder, "pre-ln", step) };
          const report = { ...here, checkpoint };
          writeFileSync(path.join(folder, "here.fathom.json"), JSON.stringify(report));
        },
      });
      await side.open();
      const file = side.row(/^review/);
      await file.waitFor();
      await side.row("pre-ln").waitFor();
      expect(await side.row("lns").count()).toBe(0);
      // The names are there at once; the figures follow.
      await side.row(/^reviewppl \S+ · \d of 4 needed$/).waitFor();
      await side.row("brokencannot be read as a report").waitFor();
      const measurable = side.row(/^hereppl \S+ · \d of 8 needed$/);
      await measurable.waitFor();
      await workbench.screenshot("side-files");
      const root = side.row(/^Checkpoints$/);
      await root.hover();
      await workbench.screenshot("side-eye");
      await side.pressOn(root, "Show Checkpoints That .gitignore Names");
      await side.row("lns").waitFor();
      // There is nothing left to show.
      await root.hover();
      const eye = root.locator('.action-label[aria-label^="Show Checkpoints"]');
      expect(await eye.count()).toBe(0);
      await side.until(workbench.tab("review.fathom.json"), () => file.click());
      await workbench.panel.reaches("done", 30_000);
      expect(await workbench.panel.status().textContent()).toMatch(/^Report from a file/);
      await workbench.screenshot("side-file-opened");

      // Only a report whose checkpoint is here can be measured again.
      await file.hover();
      const diagnose = (row: Locator): Locator =>
        row.locator('.action-label[aria-label^="Diagnose Depth"]');
      expect(await diagnose(file).count()).toBe(0);
      await workbench.command("View: Close All Editors");
      await side.pressOn(measurable, "Diagnose Depth");
      await workbench.panel.reaches("done");
      const stored = side.row(/^pre-ln\/step-\d+ppl .* needed · just now$/);
      await stored.waitFor();
      // So can a stored one.
      await workbench.command("View: Close All Editors");
      await side.pressOn(stored, "Diagnose Depth");
      await workbench.panel.reaches("done");

      // What is written over says so in its row.
      const changed = JSON.stringify(sampleReport({ layers: 12 }));
      writeFileSync(path.join(workbench.folder, "review.fathom.json"), changed);
      await side.row(/^reviewppl \S+ · \d+ of 12 needed$/).waitFor();

      // A file of the user's is deleted after a question, for good where there is no trash, as here.
      await side.pressOn(file, "Delete Report");
      const dialog = workbench.page.locator(".monaco-dialog-box");
      await dialog.getByText("Delete the report file review.fathom.json?").waitFor();
      await dialog.getByText("This action is irreversible!").waitFor();
      await workbench.screenshot("side-file-delete");
      await dialog.getByText("Cancel").click();
      await dialog.waitFor({ state: "detached" });
      expect(existsSync(path.join(workbench.folder, "review.fathom.json"))).toBe(true);
      await side.pressOn(file, "Delete Report");
      await dialog.getByText("Delete Permanently").click();
      await file.waitFor({ state: "detached" });
      expect(existsSync(path.join(workbench.folder, "review.fathom.json"))).toBe(false);

      const revealed = workbench.row("here.fathom.json");
      await side.until(revealed, () => side.pressOn(measurable, "Reveal Report File in Explorer"));
      await expect.poll(() => revealed.getAttribute("class")).toMatch(/focused|selected/);
    },
  );
});

describe("the tree, thoroughly", thorough, () => {
  test("lists what comes, and leaves out what .gitignore names in a repository", async () => {
    await open("side-ignore");
    await workbench.watchesFiles();
    await side.open();
    await side.row("step-250").first().waitFor();
    workbench.writeCheckpoint("pre-ln", "step-9999");
    const added = side.row("step-9999");
    await added.waitFor();
    writeFileSync(path.join(workbench.folder, "pre-ln", ".gitignore"), "step-9999\n");
    rmSync(path.join(workbench.folder, "lns"), { recursive: true });
    // Without a repository nothing is ignored; that the other run is gone shows that it was read anew.
    await workbench.command("Fathom: Refresh Checkpoints");
    await side.row("lns").waitFor({ state: "detached" });
    expect(await added.count()).toBe(1);

    mkdirSync(path.join(workbench.folder, ".git"));
    await workbench.command("Fathom: Refresh Checkpoints");
    await added.waitFor({ state: "detached" });
    const hidden = workbench.page.getByText("1 more checkpoint is one that .gitignore names.");
    await hidden.waitFor();
    await workbench.screenshot("side-ignored");
    await workbench.command("Fathom: Show Checkpoints That .gitignore Names");
    await added.waitFor();
    await hidden.waitFor({ state: "hidden" });
  });

  test("says so, with a button, where .gitignore names every checkpoint by its files", async () => {
    await open("side-all-ignored");
    mkdirSync(path.join(workbench.folder, ".git"));
    writeFileSync(path.join(workbench.folder, ".gitignore"), "*.safetensors\n");
    await workbench.reload();
    await side.open();
    const welcome = workbench.page.locator(".welcome-view:visible");
    const text = "All checkpoints of this workspace are ones that .gitignore names.";
    await welcome.getByText(text).waitFor();
    await expect.poll(emptyText, patient).toBe(text);
    await workbench.screenshot("side-all-ignored");
    await side.find("vscode-button:visible").click();
    await side.row("step-250").first().waitFor();
    await expect.poll(emptyText, patient).not.toBe(text);

    await workbench.command("Fathom: Hide Checkpoints That .gitignore Names");
    await side.row("step-250").first().waitFor({ state: "detached" });
    await welcome.getByText("Show Them").click();
    await side.row("step-250").first().waitFor();
    expect(workbench.complaints).toEqual([]);
  });

  test("welcomes with what to do where there is nothing", async () => {
    await open("side-empty");
    for (const twin of ["pre-ln", "lns"]) {
      rmSync(path.join(workbench.folder, twin), { recursive: true });
    }
    await workbench.reload();
    await side.open();
    const welcome = workbench.page.locator(".welcome-view:visible");
    await welcome.getByText("No checkpoint was found in this workspace").waitFor();
    await side.find(".empty p").waitFor();
    await workbench.screenshot("side-empty");
    await welcome.getByText("Diagnose a Checkpoint…").click();
    await workbench.picks().filter({ hasText: "Browse for a checkpoint folder" }).waitFor();
  });
});

describe("the charts", () => {
  test("follow the file that is edited and the layer that is chosen", thorough, async () => {
    await open("side-follow");
    await side.open();
    await side.find(".empty").waitFor();
    await goTo("pre-ln", step, "config.json");
    await expect.poll(emptyText, patient).toBe(`pre-ln/${step} has not been diagnosed yet.`);
    await side.find("vscode-button:visible").click();
    await workbench.panel.reaches("done");
    await expect.poll(() => side.name().textContent()).toBe(`pre-ln/${step}`);

    // A layer chosen in the panel is the layer of the charts, and the other way round.
    await workbench.panel.find('tr[data-layer="5"]').click();
    await expect.poll(() => side.find(".layer-line").textContent()).toMatch(/^Layer 5 · /);
    const chart = side.find("svg.plot").first();
    // The layer under the pointer would go before the chosen one.
    await workbench.page.mouse.move(10, 10);
    await chart.focus();
    await workbench.page.keyboard.press("ArrowRight");
    await workbench.panel.find('tr.highlighted[data-layer="6"]').waitFor();
    expect(await chart.getAttribute("aria-valuetext")).toMatch(/^Layer 6: σ² .* ± /);
    await workbench.screenshot("side-layer");

    // The table says the same.
    await side.find(".name-line .toggle").click();
    await side.find('tr.highlighted[data-layer="6"]').waitFor();
    await workbench.screenshot("side-table");

    // Another model's file is not shown this one's figures.
    await goTo("lns", step, "config.json");
    await expect.poll(emptyText, patient).toBe(`lns/${step} has not been diagnosed yet.`);
    expect(workbench.complaints).toEqual([]);
  });

  test("follow the cursor in the code, and the model whose file is edited", thorough, async () => {
    await open("side-cursor", {
      files: {
        "probe.py": "model = load()\nfirst = model.layers[3].mlp\nlast = model.layers[-1]\n",
      },
    });
    await measure("pre-ln", step);
    await measure("lns", lastStep("lns"));
    await side.open();
    await goTo("pre-ln", step, "config.json");
    await expect.poll(() => side.name().textContent(), patient).toBe(`pre-ln/${step}`);
    await goTo("lns", lastStep("lns"), "config.json");
    await expect.poll(() => side.name().textContent(), patient).toBe(`lns/${lastStep("lns")}`);

    const layerLine = side.find(".layer-line");
    await goTo("probe.py");
    await clickIn("layers[3]");
    await expect.poll(() => layerLine.textContent()).toMatch(/^Layer 3 · /);
    await workbench.screenshot("side-cursor-layer");
    await clickIn("layers[-1]");
    await expect.poll(() => layerLine.textContent()).toMatch(/^Layer 15 · /);
    await clickIn("load()");
    await expect.poll(() => layerLine.textContent()).toBe("");

    // On the line that makes a norm the charts say which of the model's norms that is.
    const facts = side.find(".facts.norm");
    await goTo("model.py");
    await workbench.goToLine("model.py", "self.input_layernorm = RMSNorm(");
    await expect
      .poll(() => facts.textContent(), patient)
      .toBe("model.layers.*.input_layernorm · before the attention of every layer, 0 to 15");
    await workbench.screenshot("side-cursor-norm");
    await workbench.goToLine("model.py", "self.norm = RMSNorm(");
    await expect
      .poll(() => facts.textContent())
      .toBe("model.norm · after the last layer, before the head");
    await workbench.goToLine("model.py", "class RMSNorm(");
    await facts.waitFor({ state: "hidden" });
    expect(workbench.complaints).toEqual([]);
  });
});
