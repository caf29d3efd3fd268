import path from "node:path";
import { describe, expect, test } from "vitest";
import { checkpointAt, isCheckpointFile } from "../../../src/host/checkpoint";
import { panelHtml } from "../../../src/host/panelHtml";
import { durationText, progressText } from "../../../src/report/progress";

describe("progressText", () => {
  test("names the stage, the layer, the batch and the time left", () => {
    const progress = { stage: "layer", layer: 6, layers: 32, fraction: 0.2 } as const;
    expect(progressText({ ...progress, batch: 1, batches: 2, remainingSeconds: 12.3 })).toBe(
      "Layer 6 (7 of 32) · batch 1 of 2 · about 12 s left",
    );
    expect(progressText({ ...progress, batch: 1, batches: 1 })).toBe("Layer 6 (7 of 32)");
  });

  test("names the diagnosis that it waits for", () => {
    expect(progressText({ stage: "opening", fraction: 0 }, "lns/4000")).toBe(
      "Waiting for the diagnosis of lns/4000 to end",
    );
  });

  test.each([
    [0.2, "1 s"],
    [119, "119 s"],
    [150, "3 min"],
    [7100, "118 min"],
    [7300, "2 h"],
  ])("rounds %d s to %s", (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});

describe("checkpointAt", () => {
  const folder = path.resolve("/models/pre-ln/4000");

  test.each([
    "",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-00001-of-00002.safetensors",
  ])("%j of a folder is that folder's checkpoint", (file) => {
    const checkpoint = checkpointAt(path.join(folder, file), path.resolve("/models"));
    expect(checkpoint).toEqual({
      path: path.join(folder, file),
      key: folder,
      name: "pre-ln/4000",
    });
  });

  test("a file of its own name is a checkpoint of its own", () => {
    const file = path.join(folder, "ema.safetensors");
    expect(checkpointAt(file)).toEqual({ path: file, key: file, name: "ema.safetensors" });
  });

  test("outside the workspace its own name has to do", () => {
    expect(checkpointAt(folder, path.resolve("/code")).name).toBe("4000");
    expect(checkpointAt(folder, folder).name).toBe("4000");
  });

  test("knows checkpoint files", () => {
    expect(isCheckpointFile("/a/model.safetensors")).toBe(true);
    expect(isCheckpointFile("/a/model.safetensors.index.json")).toBe(true);
    expect(isCheckpointFile("/a/ckpt.pt")).toBe(true);
    expect(isCheckpointFile("/a/config.json")).toBe(false);
    expect(isCheckpointFile("/a/model.py")).toBe(false);
  });
});

describe("panelHtml", () => {
  const page = { source: "vscode-x:", script: "vscode-x:/p.js", style: "s.css" };

  test("admits its own files only, and one script by a fresh nonce", () => {
    const [first, second] = [panelHtml(page), panelHtml(page)];
    const nonce = /<script nonce="([^"]+)" src="vscode-x:\/p.js">/.exec(first)?.[1];
    expect(nonce).toBeDefined();
    expect(first).toContain("default-src 'none'");
    expect(first).toContain(`script-src 'nonce-${nonce ?? ""}'`);
    expect(second).not.toContain(nonce);
    expect(first).not.toMatch(/unsafe-(inline|eval)/);
  });
});
