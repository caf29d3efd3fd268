/** The language-model tool as an assistant asks it: through the editor, which asks the person first. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, expect, test } from "vitest";
import type { Report } from "../../src/diagnosis/report";
import { tools } from "../../src/host/ids";
import { signedWithInterval, withInterval } from "../../src/report/format";
import { answerMarkdown } from "../../src/report/markdown";
import { sampleReport } from "../unit/report/sampleReport";
import { enginesOf } from "./support/processes";
import { Probe, wakeProbe, type ToolAnswer } from "./support/probe";
import { editorAtHand, lastStep, quick, thorough, Workbench } from "./support/workbench";

const step = lastStep("pre-ln");
const review = sampleReport({ layers: 4 });

let workbench: Workbench;
let probe: Probe;
beforeAll(async () => {
  workbench = await Workbench.open("depth-tool", {
    settings: quick,
    files: { "review.fathom.json": JSON.stringify(review), "wrong.fathom.json": "{}" },
    prepare: wakeProbe,
  });
  probe = await Probe.in(workbench.folder);
});

const ask = (file: string): Promise<ToolAnswer> => probe.ask(tools.depth, { path: file });

/** What the editor asks before the tool does what a person may not want. */
const dialog = () => workbench.page.locator(".monaco-dialog-box");

async function answer(button: string): Promise<void> {
  await dialog().getByText("Measure").first().waitFor();
  await dialog().locator(".monaco-button", { hasText: button }).click();
}

test("a report is read, with its numbers, and nobody is asked", thorough, async () => {
  expect(await probe.tool(tools.depth)).toMatchObject({ name: tools.depth });
  const { text, error } = await ask("review.fathom.json");
  expect(error).toBeUndefined();
  expect(text).toBe(answerMarkdown(review));
  checkRows(text!, review);
  expect(await dialog().count()).toBe(0);
});

test(
  "a wrong path, and a file that is no report, are answered with what is wrong",
  thorough,
  async () => {
    expect((await ask("gone.fathom.json")).error).toContain("gone.fathom.json");
    expect((await ask("wrong.fathom.json")).error).toContain("not a report of Fathom");
    const asked = ask("nowhere/at-all");
    await answer("Yes");
    expect((await asked).error).toMatch(/nowhere\/at-all/);
  },
);

test("nothing is measured when the person says no", thorough, async () => {
  const asked = ask(`pre-ln/${step}`);
  await dialog().getByText(`Measure pre-ln/${step} on this machine?`).waitFor();
  await workbench.screenshot("depth-tool-asks");
  await answer("Cancel");
  expect((await asked).error).toMatch(/Cancel/);
  expect(enginesOf(workbench.extensions)).toEqual([]);
});

test("a checkpoint is not measured any more once the answer is not wanted", thorough, async () => {
  const held = workbench.holdNextEngine();
  const asked = ask(`pre-ln/${step}`);
  await answer("Yes");
  const letGo = await held;
  await probe.cancelAsking();
  expect((await asked).error).toMatch(/Cancel/);
  letGo();
  await expect.poll(() => enginesOf(workbench.extensions), { timeout: 5000 }).toEqual([]);
});

test(
  "a checkpoint is measured after a question, and then answered from what is stored",
  thorough,
  async () => {
    const asked = ask(`pre-ln/${step}`);
    await answer("Yes");
    const { text, error } = await asked;
    expect(error).toBeUndefined();
    const stored = storedReport();
    expect(stored.checkpoint.path).toContain(step);
    expect(text).toBe(answerMarkdown(stored));
    checkRows(text!, stored);
    // The person sees what their assistant speaks of.
    await workbench.tab(`pre-ln/${step}`).waitFor();
    await workbench.screenshot("depth-tool-measured");

    expect(await ask(path.join(workbench.folder, "pre-ln", step))).toEqual({ text });
    expect(await dialog().count()).toBe(0);
    expect(enginesOf(workbench.extensions)).toEqual([]);
  },
);

/** That each layer's row has the figures of the report. */
function checkRows(text: string, { layers }: Report): void {
  for (const { index, outputVariance, jacobian, pruning } of layers) {
    const row = text.split("\n").find((line) => line.startsWith(`| ${index} |`));
    expect(row).toContain(withInterval(outputVariance!.mean, outputVariance!.standardError));
    expect(row).toContain(withInterval(jacobian!.identityDistance, jacobian!.standardError));
    expect(row).toContain(signedWithInterval(pruning!.deltaNll, pruning!.standardError));
  }
}

/** The one report that the workspace keeps, as it is on the disk. */
function storedReport(): Report {
  const storages = path.join(editorAtHand().userData, "User", "workspaceStorage");
  const files = readdirSync(storages, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".fathom.json"))
    .map((name) => JSON.parse(readFileSync(path.join(storages, name), "utf8")) as Report)
    .filter(({ checkpoint }) => checkpoint.path.startsWith(workbench.folder));
  expect(files).toHaveLength(1);
  return files[0]!;
}
