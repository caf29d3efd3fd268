import { describe, expect, test } from "vitest";
import type { CheckpointDirectory } from "../../../src/report/directory";
import { factsOf, headline } from "../../../webview/directory/facts";
import { readNavigation } from "../../../webview/directory/navigation";
import { fullName, partTitle, typeOf, visibleRows } from "../../../webview/directory/rows";

const directory: CheckpointDirectory = {
  format: "safetensors",
  files: ["/m/a.safetensors", "/m/b.safetensors"],
  bytes: 13_500_000_000,
  tensors: 5,
  parameters: 6_740_000_032,
  types: [
    { dataType: "BF16", parameters: 6_740_000_000, bytes: 13_480_000_000 },
    { dataType: "F32", parameters: 32, bytes: 128 },
  ],
  parts: [
    part("before", "", [["embed.weight", "BF16", [4, 2], 16, 0]]),
    part(
      "layer",
      "layers.0.",
      [
        ["norm.weight", "F32", [32], 128, 0],
        ["attn.weight", "BF16", [2, 2], 8, 1],
      ],
      0,
    ),
    part("layer", "layers.1.", [["attn.weight", "BF16", [2, 2], 8, 1]], 1),
    part("after", "", [["head.weight", "BF16", [4, 2], 16, 1]]),
  ],
};

describe("visibleRows", () => {
  const shown = (filter: string, turned: string[] = []): string[] =>
    visibleRows(directory, { filter, turned: new Set(turned) }).map((row) =>
      row.kind === "part"
        ? `${partTitle(directory.parts[row.part]!)} ${row.isOpen ? "open" : "closed"} ${row.found}`
        : fullName(directory, row.part, row.tensor),
    );

  test("layers are closed by themselves, what stands around them is open", () => {
    expect(shown("")).toEqual([
      ...["Before the layers open 1", "embed.weight"],
      ...["Layer 0 closed 2", "Layer 1 closed 1"],
      ...["After the layers open 1", "head.weight"],
    ]);
  });

  test("a person turns parts", () => {
    expect(shown("", ["before", "layers.0."])).toEqual([
      "Before the layers closed 1",
      ...["Layer 0 open 2", "layers.0.norm.weight", "layers.0.attn.weight"],
      "Layer 1 closed 1",
      ...["After the layers open 1", "head.weight"],
    ]);
  });

  test("a filter keeps what has all its words in the name or the type, and opens its parts", () => {
    expect(shown("ATTN bf16")).toEqual([
      ...["Layer 0 open 1", "layers.0.attn.weight"],
      ...["Layer 1 open 1", "layers.1.attn.weight"],
    ]);
    expect(shown("layers.1. attn")).toEqual(["Layer 1 open 1", "layers.1.attn.weight"]);
    expect(shown("attn", ["layers.0."])).toEqual([
      "Layer 0 closed 1",
      ...["Layer 1 open 1", "layers.1.attn.weight"],
    ]);
    expect(shown("nothing")).toEqual([]);
  });

  test("tells the place of a tensor among those of its part that are found", () => {
    const rows = visibleRows(directory, { filter: "attn", turned: new Set() });
    expect(rows[1]).toEqual({ kind: "tensor", part: 1, tensor: 1, place: 1, found: 1 });
  });

  test("a part of several types is mixed", () => {
    expect(directory.parts.map(typeOf)).toEqual(["BF16", "mixed", "BF16", "BF16"]);
  });
});

describe("what stands above", () => {
  const texts = (...[outlook]: [Parameters<typeof factsOf>[1]]): string[] =>
    factsOf(directory, outlook).map(({ name, text }) => `${name}: ${text}`);
  const architecture = {
    family: "llama",
    scheme: "pre-ln",
    schemeSource: "stated in config.json",
    layers: 2,
    hiddenSize: 4096,
    heads: 32,
    keyValueHeads: 8,
    feedForwardSize: 11_008,
    vocabularySize: 32_000,
    contextLength: 4096,
    notices: [],
  };

  test("files and parameters", () => {
    expect(headline(directory)).toBe("safetensors · 2 files · 13.5 GB on disk · 5 tensors");
    expect(texts(undefined)).toEqual([
      "Parameters: 6.74 billion: BF16 6.74 billion · F32 32",
      ...["Read as: …", "Memory: …", "Time: …"],
    ]);
  });

  test("how it is read, and what a diagnosis takes with what is assumed", () => {
    const estimate = {
      sequences: 8,
      sequenceLength: 256,
      memory: { bytes: 2e9, layer: 8e8, streams: 3e8, run: 6e8, engine: 3e8 },
      time: { seconds: 250, multiplyAdds: 1.25e14, rate: 2e10, threads: 8 },
    };
    expect(texts({ kind: "readable", architecture, estimate }).slice(1)).toEqual([
      "Read as: LLaMA · Pre-LN (stated in config.json) · 2 layers · hidden size 4,096 · 32 heads, 8 of keys and values · feed-forward size 11,008 · vocabulary 32,000 · context 4,096",
      "Memory: about 2.00 GB: the largest layer in float32 800 MB, residual streams of up to 8 sequences of 256 tokens 300 MB, one run 600 MB, the engine itself 300 MB",
      "Time: about 4 min on the CPU: 1.25×10¹⁴ multiply–adds, at an assumed 20.0 billion a second on each of 8 threads",
    ]);
  });

  test("why it cannot be diagnosed", () => {
    const reason = 'config.json: "model_type" is "mamba", which is not supported.';
    expect(factsOf(directory, { kind: "unreadable", reason })[1]).toEqual({
      name: "Cannot be diagnosed",
      text: reason,
      isProblem: true,
    });
    const refusal = "The memory budget is 1 MiB.";
    const facts = factsOf(directory, { kind: "readable", architecture, estimate: { refusal } });
    expect(facts.map(({ isProblem }) => isProblem)).toEqual([undefined, undefined, true]);
    expect(facts[2]!.text).toBe(refusal);
  });

  test("what is not measured, and what else a person should know", () => {
    const estimate = { refusal: "" };
    const noted = { ...architecture, notices: ["Layer 2 is not used."] };
    expect(texts({ kind: "readable", architecture: noted, estimate })[2]).toBe(
      "Note: Layer 2 is not used.",
    );
    const lacksLoss = "the checkpoint has no language-model head";
    expect(texts({ kind: "readable", architecture, lacksLoss, estimate })[2]).toBe(
      "Not measured: what removing a layer costs, since the checkpoint has no language-model head",
    );
  });
});

test("navigation takes what an older page may have saved", () => {
  expect(readNavigation(undefined)).toEqual({ filter: "", turned: [], active: 0 });
  expect(readNavigation({ filter: 3, turned: ["a", 1], active: -1 })).toEqual({
    filter: "",
    turned: ["a"],
    active: 0,
  });
  const saved = { filter: "q", turned: ["before"], active: 7 };
  expect(readNavigation(saved)).toEqual(saved);
});

function part(
  kind: "before" | "layer" | "after",
  prefix: string,
  tensors: CheckpointDirectory["parts"][number]["tensors"],
  layer?: number,
): CheckpointDirectory["parts"][number] {
  const count = tensors.reduce((sum, [, , shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const size = tensors.reduce((sum, [, , , bytes]) => sum + bytes, 0);
  return {
    kind,
    prefix,
    ...(layer === undefined ? {} : { layer }),
    parameters: count,
    bytes: size,
    tensors,
  };
}
