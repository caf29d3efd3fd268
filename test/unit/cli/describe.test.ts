import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startEngine } from "../../../src/engineClient";
import type { EngineEvent } from "../../../src/protocol/messages";
import { progressText } from "../../../src/report/progress";
import { copyFixture, tokensOf } from "../support/checkpoints";
import { enginePath, ensureBuilt, runCli } from "../support/cli";
import { written } from "../support/idioms";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
beforeAll(ensureBuilt);

describe("fathom describe", () => {
  it("writes fathom.json beside the checkpoint, and over it when asked to", async () => {
    const folder = written(scratch(), "of timm");
    const file = join(folder, "fathom.json");
    const { code, stdout, stderr } = await runCli(["describe", join(folder, "model.safetensors")]);
    expect([code, stdout]).toEqual([0, `${file} is written.\n`]);
    expect(stderr).toContain("guessed: norm, heads, activation");
    expect(JSON.parse(readFileSync(file, "utf8")).roles).toMatchObject({
      "blocks.{layer}.attn.qkv.weight": "query-key-value",
    });
    writeFileSync(file, "{}");
    const refused = await runCli(["describe", folder]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("--force");
    expect(readFileSync(file, "utf8")).toBe("{}");
    expect((await runCli(["describe", folder, "--force"])).code).toBe(0);
    expect(readFileSync(file, "utf8")).toContain("query-key-value");
  });

  it("writes to another file or to standard output", async () => {
    const folder = copyFixture("llama", scratch());
    const { code, stdout } = await runCli(["describe", folder, "--output", "-"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { reading: { norm: "pre-ln" } }]);
    const other = join(scratch(), "other.json");
    expect((await runCli(["describe", folder, "--output", other])).code).toBe(0);
    expect(existsSync(other)).toBe(true);
  });

  it("ends with 3 where there is no checkpoint", async () => {
    const { code, stderr } = await runCli(["describe", join(scratch(), "none")]);
    expect(code).toBe(3);
    expect(stderr).toContain("does not exist");
  });
});

describe("a reading that the evidence does not tell", () => {
  it("is tried under the eyes of the owner, who is given the readings to choose from", async () => {
    const folder = written(scratch(), "of timm");
    const tokens = join(scratch(), "tokens.json");
    writeFileSync(tokens, JSON.stringify(tokensOf("gpt2")));
    const request = {
      checkpoint: folder,
      texts: { kind: "tokens", file: tokens },
      sequenceLength: 256,
      sequenceLengthIsExplicit: false,
      maxTokens: 2048,
      maxTokensIsExplicit: false,
      metrics: ["variance"],
      probes: 1,
      device: "cpu",
      seed: 0,
    } as const;
    const events: EngineEvent[] = [];
    const outcome = await startEngine(enginePath, { ...request, metrics: ["variance"] }, (event) =>
      events.push(event),
    ).outcome;
    const stages = events.flatMap((event) =>
      event.type === "progress" && event.progress.stage === "readings" ? [event.progress] : [],
    );
    expect(stages.map(({ reading }) => reading)).toEqual(stages.map((_, at) => at + 1));
    expect(stages.every(({ reading, readings }) => readings! >= reading!)).toBe(true);
    expect(progressText(stages[1]!)).toMatch(/^Trying readings \(2 of \d+\)$/);
    expect(outcome.ok).toBe(false);
    const { readings = [] } = outcome.ok ? {} : outcome.failure;
    expect(readings.length).toBeGreaterThan(1);
    expect(readings.length).toBeLessThanOrEqual(stages.length);

    const chosenReading = readings[0]!.settings;
    const chosen = await startEngine(
      enginePath,
      { ...request, metrics: ["variance"], chosenReading },
      () => undefined,
    ).outcome;
    const reading = chosen.ok ? chosen.report.architecture.reading : undefined;
    expect(reading?.settled).toContainEqual(
      expect.objectContaining({ name: "norm", by: "chosen by you" }),
    );
  });
});
