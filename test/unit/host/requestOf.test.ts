import path from "node:path";
import { describe, expect, test } from "vitest";
import { requestOf, schemes, SettingError, type SettingName } from "../../../src/host/requestOf";

const defaults: Record<SettingName, unknown> = {
  textFiles: [],
  tokensFile: "",
  sequenceLength: 256,
  maxTokens: 2048,
  metrics: ["variance"],
  probes: 2,
  scheme: "auto",
  stack: "auto",
  device: "auto",
  threads: null,
  memoryGib: null,
  seed: 0,
};

function request(changes: Partial<Record<SettingName, unknown>>): ReturnType<typeof requestOf> {
  return requestOf(
    {
      value: (name) => (name in changes ? changes[name] : defaults[name]),
      isExplicit: (name) => name in changes,
    },
    { checkpoint: "/c", textFolder: path.resolve("/workspace"), defaultText: "/default.txt" },
  );
}

describe("requestOf", () => {
  test("finds relative text files from the workspace folder", () => {
    const absolute = path.resolve("/elsewhere/b.txt");
    expect(request({ textFiles: ["texts/a.txt", absolute] }).texts).toEqual({
      kind: "text",
      files: [path.resolve("/workspace/texts/a.txt"), absolute],
    });
  });

  test("takes token ids instead of text, and not both", () => {
    expect(request({ tokensFile: "ids.json" }).texts).toEqual({
      kind: "tokens",
      file: path.resolve("/workspace/ids.json"),
    });
    const both = (): unknown => request({ tokensFile: "ids.json", textFiles: ["a.txt"] });
    expect(both).toThrow(SettingError);
    expect(both).toThrow('fathom.tokensFile is "ids.json"; expected none while');
  });

  test("tells chosen lengths from default ones", () => {
    const chosen = request({ sequenceLength: 128 });
    expect(chosen.sequenceLengthIsExplicit).toBe(true);
    expect(chosen.maxTokensIsExplicit).toBe(false);
  });

  test("passes on what was chosen, and leaves out what was not", () => {
    expect(
      request({ scheme: "lns", stack: "encoder", threads: 3, memoryGib: 0.5, device: "webgpu" }),
    ).toMatchObject({
      scheme: "lns",
      stack: "encoder",
      threads: 3,
      memoryBytes: 2 ** 29,
      device: "webgpu",
    });
    for (const name of ["scheme", "stack", "threads", "memoryBytes"]) {
      expect(request({})).not.toHaveProperty(name);
    }
  });

  test("puts metrics in the order of the definitions, each once", () => {
    const metrics = ["pruning", "variance", "pruning"];
    expect(request({ metrics }).metrics).toEqual(["variance", "pruning"]);
  });

  test.each<[SettingName, unknown, string]>([
    ["textFiles", "held-out.txt", "a list of paths of text files"],
    ["textFiles", [""], "a list of paths of text files"],
    ["tokensFile", 3, "the path of a JSON file, or an empty text"],
    ["sequenceLength", 1, "a whole number of at least 2"],
    ["sequenceLength", "256", "a whole number of at least 2"],
    ["maxTokens", 2.5, "a whole number of at least 2"],
    ["metrics", [], "a list of some of variance, jacobian, pruning, sublayers"],
    ["metrics", ["variances"], "a list of some of variance, jacobian, pruning, sublayers"],
    ["probes", 0, "a whole number of at least 1"],
    ["stack", "both", "one of auto, encoder, decoder"],
    ["scheme", "keel", `one of ${schemes.join(", ")}`],
    ["device", "tpu", "one of auto, cpu, webgpu, cuda, dml, coreml"],
    ["threads", 0, "a whole number of at least 1"],
    ["memoryGib", 0.1, "a number of at least 0.25"],
    ["memoryGib", Infinity, "a number of at least 0.25"],
    ["seed", -1, "a whole number of at least 0"],
  ])("refuses fathom.%s = %j", (name, value, expected) => {
    const attempt = (): unknown => request({ [name]: value });
    expect(attempt).toThrow(SettingError);
    expect(attempt).toThrow(
      `The setting fathom.${name} is ${JSON.stringify(value)}; expected ${expected}.`,
    );
  });
});
