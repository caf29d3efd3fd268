import { describe, expect, test } from "vitest";
import { reportKey } from "../../../../src/host/reports/reportKey";
import type { DiagnosisRequest } from "../../../../src/protocol/messages";

const request: DiagnosisRequest = {
  checkpoint: "/w/step-1000",
  texts: { kind: "text", files: ["/w/a.txt", "/w/b.txt"] },
  sequenceLength: 256,
  sequenceLengthIsExplicit: false,
  maxTokens: 2048,
  maxTokensIsExplicit: false,
  metrics: ["variance", "jacobian"],
  probes: 2,
  device: "auto",
  seed: 0,
};
const content = { fingerprint: "f".repeat(64), texts: ["1".repeat(64), "2".repeat(64)] };
const key = reportKey(request, content);

describe("reportKey", () => {
  test("is 64 hexadecimal digits", () => {
    expect(key).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each<[string, Partial<DiagnosisRequest>]>([
    ["the place of the checkpoint", { checkpoint: "/elsewhere" }],
    ["the places of the texts", { texts: { kind: "text", files: ["/x", "/y"] } }],
    ["that the text is the default", { texts: { kind: "default", file: "/x" } }],
    ["the device", { device: "webgpu" }],
    ["threads", { threads: 3 }],
    ["memory", { memoryBytes: 2 ** 30 }],
    ["the order of metrics", { metrics: ["jacobian", "variance"] }],
    ["notices", { notices: ["The GPU was given up."] }],
  ])("does not depend on %s", (_, change) => {
    expect(reportKey({ ...request, ...change }, content)).toBe(key);
  });

  test.each<[string, Partial<DiagnosisRequest>]>([
    ["the sequence length", { sequenceLength: 128 }],
    ["whether that was chosen", { sequenceLengthIsExplicit: true }],
    ["the token budget", { maxTokens: 4096 }],
    ["whether that was chosen", { maxTokensIsExplicit: true }],
    ["the metrics", { metrics: ["variance"] }],
    ["the probes", { probes: 3 }],
    ["the scheme", { scheme: "lns" }],
    ["the stack", { stack: "encoder" }],
    ["what is stated of the reading", { reading: { heads: "4" } }],
    ["the reading that was chosen", { chosenReading: { heads: "4" } }],
    ["the seed", { seed: 1 }],
    ["whether the texts are token ids", { texts: { kind: "tokens", file: "/x" } }],
  ])("depends on %s", (_, change) => {
    expect(reportKey({ ...request, ...change }, content)).not.toBe(key);
  });

  test("depends on the content of the checkpoint and of the texts, and their order", () => {
    const [one, two] = content.texts;
    const others = [
      { ...content, fingerprint: "e".repeat(64) },
      { ...content, texts: [one!] },
      { ...content, texts: [two!, one!] },
    ];
    const keys = others.map((other) => reportKey(request, other));
    expect(new Set([key, ...keys]).size).toBe(4);
  });
});
