import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Report } from "../../src/diagnosis/report";
import { fixture } from "../unit/support/checkpoints";
import type { CliOutcome } from "../unit/support/cli";
import { ensureBuilt, runCli } from "../unit/support/cli";
import { expectSameFigures } from "../unit/support/numbers";
import { scratchFolders } from "../unit/support/scratch";
import { swiftShaderEnvironment } from "./swiftShader";

const scratch = scratchFolders();

beforeAll(ensureBuilt);

/** Two short documents, so that one is padded, through the two layers of the smallest fixture. */
function diagnose(device: string, env: NodeJS.ProcessEnv, ...more: string[]): Promise<CliOutcome> {
  const tokens = join(scratch(), "tokens.json");
  writeFileSync(
    tokens,
    JSON.stringify([
      [3, 1, 4, 1, 5, 9],
      [2, 6, 5, 3],
    ]),
  );
  const checkpoint = fixture("llama-one-document");
  const options = ["--tokens", tokens, "--device", device, "--json", "-", ...more];
  return runCli(["diagnose", checkpoint, ...options], { env });
}

describe("WebGPU", () => {
  it("finds what the CPU finds", async () => {
    const found = await diagnose("webgpu", swiftShaderEnvironment());
    expect(found.stderr).toBe("");
    expect(found.code).toBe(0);
    const report = JSON.parse(found.stdout) as Report;
    expect(report.runtime.device).toBe("webgpu");
    const expected = JSON.parse((await diagnose("cpu", {})).stdout) as Report;
    expect(expected.runtime.device).toBe("cpu");
    const tolerance = { relative: 1e-4, absolute: 1e-5 };
    expectSameFigures(report.layers, expected.layers, tolerance);
    expectSameFigures(report.baseline, expected.baseline, tolerance);
    expectSameFigures(report.growth, expected.growth, tolerance);
  });

  it("without an adapter gives way to the CPU, and says so", async () => {
    const nowhere = { VK_ICD_FILENAMES: "/nonexistent/driver.json" };
    const { code, stdout, stderr } = await diagnose("webgpu", nowhere, "--metrics", "variance");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^fathom: [^\n]*webgpu[^\n]*the CPU is used instead\.\n$/);
    const report = JSON.parse(stdout) as Report;
    expect(report.runtime.device).toBe("cpu");
    const notices = report.findings.filter(({ kind }) => kind === "notice");
    expect(notices.map(({ text }) => `fathom: ${text}\n`)).toEqual([stderr]);
    expect(report.layers[1]!.outputVariance).toBeDefined();
  });

  it("without an adapter is no news to someone who did not ask for it", async () => {
    const nowhere = { VK_ICD_FILENAMES: "/nonexistent/driver.json" };
    const { code, stdout, stderr } = await diagnose("auto", nowhere, "--metrics", "variance");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect((JSON.parse(stdout) as Report).runtime.device).toBe("cpu");
  });
});

describe("a device that ONNX Runtime does not offer here", () => {
  it("gives way to the CPU, and says so", async () => {
    const foreign = process.platform === "darwin" ? "dml" : "coreml";
    const { code, stdout, stderr } = await diagnose(foreign, {}, "--metrics", "variance");
    expect(code).toBe(0);
    expect(stderr).toContain(`Device ${foreign} was not used`);
    expect((JSON.parse(stdout) as Report).runtime.device).toBe("cpu");
  });
});
