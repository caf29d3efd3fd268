import { Ajv2020 } from "ajv/dist/2020.js";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { lastStep, quick, repository, screenshots, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");
let workbench: Workbench;
/** Where the last export went, the checkpoint's folder before the first. */
let lastFolder: string;

beforeAll(async () => {
  workbench = await Workbench.open("export", { settings: quick });
  lastFolder = path.join(workbench.folder, "pre-ln");
  await workbench.openFile("model.py");
  await workbench.diagnose("pre-ln", step);
  await workbench.panel.reaches("done");
});

describe("Export Report", () => {
  test("JSON, from the panel; the name is suggested", async () => {
    await workbench.panel.button("JSON").click();
    await workbench.suggests(path.join(lastFolder, `pre-ln-${step}.fathom.json`));
    const file = workbench.exportPath("report.json");
    await save(file);
    const schema = JSON.parse(
      readFileSync(path.join(repository, "media/report.schema.json"), "utf8"),
    );
    const validate = new Ajv2020({ allErrors: true, strict: false }).compile(schema);
    const report = JSON.parse(readFileSync(file, "utf8"));
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(report.layers).toHaveLength(report.architecture.layers);
    expect(report.evaluation.source).toContain("held-out.txt");
  });

  test("CSV, from the command palette; the last folder is suggested", async () => {
    await workbench.command("Fathom: Export Report");
    await workbench.pick("CSV");
    const suggested = path.join(lastFolder, `fathom-pre-ln-${step}.csv`);
    rmSync(suggested, { force: true });
    await workbench.suggests(suggested);
    await workbench.page.keyboard.press("Enter");
    await workbench.statusLine(`Exported to ${suggested}`).waitFor();
    const lines = readFileSync(suggested, "utf8").trimEnd().split("\r\n");
    expect(lines).toHaveLength(1 + (await workbench.panel.rows().count()));
    expect(lines[0]).toMatch(/^index,path,/);
  });

  test("PNG, drawn by the panel", async () => {
    const file = workbench.exportPath("report.png");
    await workbench.panel.button("PNG").click();
    await save(file);
    const png = readFileSync(file);
    expect(png.subarray(1, 4).toString("latin1")).toBe("PNG");
    const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
    expect(width).toBeGreaterThan(1000);
    expect(height).toBeGreaterThan(1000);
  });

  test("HTML, one file that opens anywhere", async () => {
    const file = workbench.exportPath("report.html");
    await workbench.panel.button("HTML").click();
    await save(file);

    const page = await workbench.newPage();
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`file://${file}`);
    await page.locator("figure.chart canvas").last().waitFor();
    expect(await page.locator("figure.chart canvas").count()).toBe(3);
    expect(requests.filter((url) => /^https?:/.test(url))).toEqual([]);
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: path.join(screenshots, "export.html.png"), fullPage: true });
    await page.close();
  });

  test("a file that cannot be written is named, nothing is left, and another place is offered", async () => {
    // Not even an administrator can make a file there.
    const blocked = "/proc/fathom.json";
    await workbench.panel.button("JSON").click();
    await workbench.saveAs(blocked);
    const message = workbench.notification(`${blocked} could not be written`);
    await message.waitFor();
    await workbench.screenshot("export-failed");
    await workbench.press(message, "Save Elsewhere…");
    const file = workbench.exportPath("elsewhere.json");
    await save(file);
    expect(existsSync(file)).toBe(true);
    expect(readdirSync(path.dirname(file)).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

async function save(file: string): Promise<void> {
  await workbench.saveAs(file);
  lastFolder = path.dirname(file);
  await workbench.statusLine(`Exported to ${file}`).waitFor();
}
