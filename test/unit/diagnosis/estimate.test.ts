import { describe, expect, test } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Checkpoint } from "../../../src/checkpoint/checkpoint";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { estimateDiagnosis } from "../../../src/diagnosis/estimate";
import { outlookOf } from "../../../src/diagnosis/outlookOf";
import { batchCost, planBatches, runsOf, withImplied } from "../../../src/diagnosis/plan";
import type { Metric } from "../../../src/diagnosis/report";
import { layerGraph } from "../../../src/graph/layer";
import { multiplyAdds } from "../../../src/graph/work";
import { fixture } from "../support/checkpoints";

const opened = await openCheckpoint(fixture("llama"));
const architecture = describeArchitecture(opened);
const all: ReadonlySet<Metric> = new Set(["variance", "jacobian", "pruning"]);
const input = {
  checkpoint: opened,
  architecture,
  metrics: all,
  probes: 2,
  memoryBytes: 1e9,
  maxTokens: 128,
  sequenceLength: 16,
  threads: 4,
};
const layers = architecture.layers.length;

describe("multiplyAdds", () => {
  test("counts the weights' products with every token, and attention's with every pair", () => {
    const { hiddenSize: width, feedForwardSize, heads, keyValueHeads } = architecture;
    const { headSize } = architecture.layers[0]!.attention.module;
    const projections = width * headSize * (2 * heads + 2 * keyValueHeads);
    const attention = (tokens: number): number => 2 * heads * tokens * tokens * headSize;
    const graph = layerGraph(architecture.layers[0]!, width, false);
    for (const sequence of [1, 16]) {
      const perToken = projections + 3 * width * feedForwardSize;
      expect(multiplyAdds(graph, { batch: 3, sequence })).toBe(
        3 * (sequence * perToken + attention(sequence)),
      );
    }
  });
});

describe("planBatches", () => {
  test("cuts into batches that memory holds, all sequences among them", () => {
    const roomy = planBatches(input, 9, { tokens: 16 });
    expect(roomy.batches).toEqual([9]);
    const { layerBytes, sequenceBytes } = roomy;
    // Room for the layer, and of the rest three fifths for the streams of four sequences.
    const tight = { ...input, memoryBytes: layerBytes + (4.5 * sequenceBytes) / 0.6 };
    expect(planBatches(tight, 9, { tokens: 16 }).batches).toEqual([4, 4, 1]);
    expect(() => planBatches({ ...input, memoryBytes: layerBytes }, 9, { tokens: 16 })).toThrow(
      /one layer and one sequence of 16 tokens take .* the memory budget is/,
    );
  });

  test("costs what the sweep runs: each removal goes through all later layers", () => {
    expect(runsOf({ architecture, metrics: new Set(["variance"]), probes: 2 })).toEqual({
      layers,
      heads: 1,
    });
    const pruned = runsOf({ architecture, metrics: new Set(["pruning"]), probes: 2 });
    expect(pruned).toEqual({ layers: layers + (layers * (layers - 1)) / 2, heads: 1 + layers });
    expect(batchCost(input, 6)).toBeCloseTo(6 * batchCost(input, 1));
    expect([...withImplied(["sublayers"])].sort()).toEqual(["pruning", "sublayers"]);
  });
});

describe("estimateDiagnosis", () => {
  test("adds up memory, and divides the work by the rate", () => {
    const { memory, time, sequences } = estimateDiagnosis(input);
    expect(sequences).toBe(8);
    expect(memory.bytes).toBe(memory.layer + memory.streams + memory.run + memory.engine);
    expect(memory.layer).toBe(planBatches(input, 8, { tokens: 16 }).layerBytes);
    const more = estimateDiagnosis({ ...input, maxTokens: 1280 });
    expect(more.time.multiplyAdds).toBe(10 * time.multiplyAdds);
    expect(more.memory.streams).toBeGreaterThan(memory.streams);
    expect(estimateDiagnosis({ ...input, threads: 1 }).time.seconds).toBeGreaterThan(time.seconds);
  });

  test("takes less without removals, as where there is no head", () => {
    const headless = { ...input, architecture: { ...architecture, head: undefined } };
    expect(estimateDiagnosis(headless).time.multiplyAdds).toBeLessThan(
      estimateDiagnosis(input).time.multiplyAdds,
    );
  });
});

describe("outlookOf", () => {
  const wishes = { ...input, scheme: undefined };

  test("tells how a checkpoint is read, and what it takes", async () => {
    expect(await outlookOf(opened, wishes)).toMatchObject({
      kind: "readable",
      architecture: { family: "llama", scheme: "pre-ln", layers },
      estimate: { sequenceLength: 16 },
    });
    expect(await outlookOf(opened, { ...wishes, scheme: "lns" })).toMatchObject({
      architecture: { scheme: "lns", schemeSource: "as asked" },
    });
  });

  test("an architecture that is not known has a reason in one line, and so has too little memory", async () => {
    const strange: Checkpoint = {
      ...opened,
      config: { path: "/m/config.json", value: { model_type: "mamba", clip_qkv: 8 } },
    };
    const outlook = await outlookOf(strange, wishes);
    expect(outlook.kind === "unreadable" && outlook.reason).toMatch(/^[^\n]*mamba[^\n]*$/);
    const refused = await outlookOf(opened, { ...wishes, memoryBytes: 1000 });
    expect(refused).toMatchObject({
      kind: "readable",
      estimate: { refusal: expect.stringContaining("memory budget") },
    });
  });
});
