import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Architecture } from "../../../src/architecture/description";
import type { Checkpoint, TensorEntry } from "../../../src/checkpoint/checkpoint";
import { commonFolder } from "../../../src/checkpoint/commonFolder";
import { openCheckpoint } from "../../../src/checkpoint/open";
import type { Tensor } from "../../../src/engine/executor";
import { onnxRuntimeExecutor } from "../../../src/engine/onnxRuntime";
import { attentionFeeds, maskOf } from "../../../src/graph/attentionFeeds";
import { printGraph } from "../../../src/graph/graph";
import { headSlices } from "../../../src/graph/head";
import { jvp, tangentName } from "../../../src/graph/jvp";
import { layerGraph, layerInputs, layerOutputs } from "../../../src/graph/layer";
import { weightBytes } from "../../../src/graph/memory";
import { fixture, fixtureNames } from "../support/checkpoints";
import type { Numbers } from "../support/interpreter";
import { evaluate } from "../support/interpreter";
import { expectClose, pseudoRandom } from "../support/numbers";

const sequence = 5;
const stream = layerInputs.stream;
const output = layerOutputs.stream;

describe("a layer's graph", () => {
  it("is written in a stable order of primitives", async () => {
    const { architecture } = await opened("llama");
    const plain = layerGraph(architecture.layers[1]!, architecture.hiddenSize, false);
    expect(printGraph(plain)).toMatchSnapshot("llama layer");
    const { architecture: twin } = await opened("llama");
    const again = layerGraph(twin.layers[1]!, twin.hiddenSize, false);
    expect(printGraph(again)).toBe(printGraph(plain));
  });

  it("has a derivative in a stable order of primitives", async () => {
    const { architecture } = await opened("llama");
    const plain = layerGraph(architecture.layers[1]!, architecture.hiddenSize, false);
    expect(printGraph(jvp(plain, stream, [output]))).toMatchSnapshot("llama layer's derivative");
  });

  it.each([
    ...["llama", "llama-tied", "qwen3", "mistral", "llama-lns"],
    ...["gpt-j", "mpt-clipped", "opt-projected", "stablelm-parallel"],
    ...["gemma2", "olmo", "mixtral-fused", "qwen2-moe", "deepseek-v2", "deepseek-v3"],
    ...fixtureNames.filter((name) => name.startsWith("scheme-")),
  ])("of %s is differentiated exactly", async (name) => {
    const { architecture } = await opened(name);
    const layer = architecture.layers[1]!;
    const plain = layerGraph(layer, architecture.hiddenSize, false);
    const feeds = layerFeeds(architecture, 1);
    const random = pseudoRandom(3);
    const v = feeds[stream]!.data.map(() => random());
    const graph = jvp(plain, stream, [output]);
    const exact = evaluate(graph, { ...feeds, ...tangentFeed(architecture, [v]) }, readWeight);
    const step = 1e-5;
    const at = (sign: number): readonly number[] => {
      const { shape, data } = feeds[stream]!;
      const moved = data.map((value, index) => value + sign * step * v[index]!);
      const some = { ...feeds, [stream]: { shape, data: moved } };
      return evaluate(plain, some, readWeight)[output]!.data;
    };
    const before = at(-1);
    const expected = at(1).map((value, index) => (value - before[index]!) / (2 * step));
    expectClose(exact[tangentName(output)]!.data, expected, 1e-7);
  });

  it("gives the same outputs in ONNX Runtime, to the last bit, however many probes go along", async () => {
    const { architecture, checkpoint } = await opened("llama");
    const executor = onnxRuntimeExecutor({
      provider: "cpu",
      threads: 1,
      weightsFolder: commonFolder(checkpoint.tensors.values()),
    });
    const plain = layerGraph(architecture.layers[0]!, architecture.hiddenSize, false);
    const graph = jvp(plain, stream, [output]);
    const session = await executor.load(graph);
    const feeds = layerFeeds(architecture, 0);
    const random = pseudoRandom(5);
    const probes = [0, 1, 2].map(() => feeds[stream]!.data.map(() => random()));
    const names = plain.outputs.map(({ name }) => name);
    const fetches = [...names, tangentName(output)];
    const run = (count: number): Promise<Record<string, Float32Array>> => {
      const all = { ...feeds, ...tangentFeed(architecture, probes.slice(0, count)) };
      return session.run(toTensors(all), fetches);
    };
    const [none, one, three] = [await run(0), await run(1), await run(3)];
    await session.release();
    for (const name of names) {
      expect(one[name]).toEqual(none[name]);
      expect(three[name]).toEqual(none[name]);
    }
    expect(none[tangentName(output)]).toHaveLength(0);
    const exact = evaluate(graph, { ...feeds, ...tangentFeed(architecture, probes) }, readWeight);
    expectClose(none[output]!, exact[output]!.data, 1e-5);
    expectClose(three[tangentName(output)]!, exact[tangentName(output)]!.data, 1e-5);
    const single = one[tangentName(output)]!;
    expectClose(three[tangentName(output)]!.subarray(0, single.length), single, 1e-6);
  });

  it("turns heads as one row as it turns each by itself, where the angles are those of each", async () => {
    const { architecture } = await opened("llama");
    const layer = architecture.layers[0]!;
    const { module } = layer.attention;
    const rotary = { ...module.rotary!, pairing: "neighbours" } as const;
    const each = rotary.inverseFrequencies;
    const asOneRow = {
      ...rotary,
      inverseFrequencies: Array.from({ length: module.heads }, () => each).flat(),
      acrossHeads: {
        keyFrequencies: Array.from({ length: module.keyValueHeads }, () => each).flat(),
      },
    };
    const outputs = [rotary, asOneRow].map((turning) => {
      const attention = { ...layer.attention, module: { ...module, rotary: turning } };
      const turned = { ...architecture, layers: [{ ...layer, attention }] };
      const graph = layerGraph(turned.layers[0]!, architecture.hiddenSize, false);
      return evaluate(graph, layerFeeds(turned, 0), readWeight)[output]!.data;
    });
    expect(outputs[1]).toEqual(outputs[0]);
  });

  it("returns the stream as the sum of what comes in and what the sublayers add", async () => {
    const { architecture } = await opened("qwen2");
    const feeds = layerFeeds(architecture, 2);
    const graph = layerGraph(architecture.layers[2]!, architecture.hiddenSize, false);
    const found = evaluate(graph, feeds, readWeight);
    const sum = feeds[stream]!.data.map(
      (x, at) =>
        x + found[layerOutputs.attention]!.data[at]! + found[layerOutputs.feedForward]!.data[at]!,
    );
    expectClose(found[output]!.data, sum, 1e-12);
  });

  it("with switches leaves a sublayer out of the rows that say so", async () => {
    const { architecture } = await opened("llama");
    const layer = architecture.layers[0]!;
    const one = layerFeeds(architecture, 0);
    const rows = repeated(one, 4);
    const keep = (...data: number[]): Numbers => ({ shape: [4, 1, 1], data });
    const switched = evaluate(
      layerGraph(layer, architecture.hiddenSize, true),
      {
        ...rows,
        [layerInputs.keepAttention]: keep(1, 0, 1, 0),
        [layerInputs.keepFeedForward]: keep(1, 1, 0, 0),
      },
      readWeight,
    )[output]!.data;
    const width = sequence * architecture.hiddenSize;
    const row = (index: number): readonly number[] =>
      switched.slice(index * width, (index + 1) * width);
    const plain = evaluate(layerGraph(layer, architecture.hiddenSize, false), one, readWeight);
    const x = one[stream]!.data;
    expectClose(row(0), plain[output]!.data, 1e-12);
    const attended = x.map((value, at) => value + plain[layerOutputs.attention]!.data[at]!);
    expectClose(row(2), attended, 1e-12);
    expect(row(3)).toEqual(x);
    // Without attention the feed-forward reads x itself, so it adds something else.
    expect(row(1)).not.toEqual(row(0));
  });

  it("lets no token see a later one, nor one that has left the window", async () => {
    const { architecture } = await opened("mistral");
    const openIn = (window: number | undefined, size: number): number[] =>
      Array.from(
        maskOf(
          { isBidirectional: false, window, slopes: undefined, roundedSlopeFactor: undefined },
          size,
        ),
        (value) => (value === 0 ? 1 : 0),
      );
    expect(openIn(2, 4)).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
    expect(openIn(undefined, 2)).toEqual([1, 0, 1, 1]);
    const feeds = layerFeeds(architecture, 0);
    const graph = layerGraph(architecture.layers[0]!, architecture.hiddenSize, false);
    const before = evaluate(graph, feeds, readWeight)[output]!.data;
    const changed = [...feeds[stream]!.data];
    for (let at = 4 * architecture.hiddenSize; at < changed.length; at++) changed[at]! += 1;
    const after = evaluate(
      graph,
      { ...feeds, [stream]: { shape: feeds[stream]!.shape, data: changed } },
      readWeight,
    )[output]!.data;
    const unseen = 4 * architecture.hiddenSize;
    expect(after.slice(0, unseen)).toEqual(before.slice(0, unseen));
    expect(after.slice(unseen)).not.toEqual(before.slice(unseen));
  });
});

describe("the head's slices", () => {
  it("together are the whole head", async () => {
    const { architecture } = await opened("llama");
    const head = architecture.head!;
    const whole = headSlices(architecture, head, Infinity);
    expect(whole).toHaveLength(1);
    const rowBytes = architecture.hiddenSize * 4;
    const some = headSlices(architecture, head, 10 * rowBytes);
    expect(some.map(({ start, end }) => [start, end])).toEqual(
      Array.from({ length: 8 }, (_, at) => [at * 9, at * 9 + 9]),
    );
    for (const { graph } of some) expect(weightBytes(graph)).toBeLessThanOrEqual(11 * rowBytes);

    const random = pseudoRandom(9);
    const states = Array.from({ length: 2 * architecture.hiddenSize }, random);
    const feeds = { stream: { shape: [2, architecture.hiddenSize], data: states } };
    const targets = [31, 70];
    const run = ({ start, end, graph }: (typeof some)[number]): Record<string, Numbers> => {
      const clamped = targets.map((id) => Math.min(Math.max(id - start, 0), end - start - 1));
      return evaluate(graph, { ...feeds, targets: { shape: [2, 1], data: clamped } }, readWeight);
    };
    const expected = run(whole[0]!);
    const parts = some.map(run);
    for (const [row, target] of targets.entries()) {
      const highest = Math.max(...parts.map((part) => part["maximum"]!.data[row]!));
      const total = parts.reduce(
        (sum, part) =>
          sum + part["exponentials"]!.data[row]! * Math.exp(part["maximum"]!.data[row]! - highest),
        0,
      );
      const holder = some.findIndex(({ start, end }) => start <= target && target < end);
      expect(highest).toBeCloseTo(expected["maximum"]!.data[row]!, 12);
      expect(total).toBeCloseTo(expected["exponentials"]!.data[row]!, 10);
      expect(parts[holder]!["target_logit"]!.data[row]).toBeCloseTo(
        expected["target_logit"]!.data[row]!,
        12,
      );
    }
  });

  it("never are more than the rows of the vocabulary", async () => {
    const { architecture } = await opened("llama");
    expect(headSlices(architecture, architecture.head!, 1)).toHaveLength(72);
  });
});

async function opened(
  name: string,
): Promise<{ checkpoint: Checkpoint; architecture: Architecture }> {
  const checkpoint = await openCheckpoint(fixture(name));
  return { checkpoint, architecture: describeArchitecture(checkpoint) };
}

/** One sequence of random states, with the positions that the layer wants. */
function layerFeeds(architecture: Architecture, index: number): Record<string, Numbers> {
  const { module } = architecture.layers[index]!.attention;
  const positions = Object.entries(attentionFeeds(module, sequence)).map(
    ([name, { shape, data }]) => [name, { shape, data: [...data] }],
  );
  const random = pseudoRandom(1);
  const states = Array.from({ length: sequence * architecture.hiddenSize }, () =>
    Math.fround(random()),
  );
  return {
    [stream]: { shape: [1, sequence, architecture.hiddenSize], data: states },
    ...(Object.fromEntries(positions) as Record<string, Numbers>),
  };
}

function tangentFeed(
  { hiddenSize }: Architecture,
  probes: readonly (readonly number[])[],
): Record<string, Numbers> {
  const shape = [probes.length, 1, sequence, hiddenSize];
  return { [tangentName(stream)]: { shape, data: probes.flat() } };
}

function repeated(feeds: Record<string, Numbers>, rows: number): Record<string, Numbers> {
  const { shape, data } = feeds[stream]!;
  const all = Array.from({ length: rows }, () => data).flat();
  return { ...feeds, [stream]: { shape: [rows, ...shape.slice(1)], data: all } };
}

function toTensors(feeds: Readonly<Record<string, Numbers>>): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [
      name,
      { type: "float32", data: Float32Array.from(data), shape },
    ]),
  );
}

/** The numbers of an F32 tensor, read from its file. */
function readWeight({ file, offset, byteLength }: TensorEntry): number[] {
  const bytes = Uint8Array.from(readFileSync(file).subarray(offset, offset + byteLength));
  return [...new Float32Array(bytes.buffer)];
}
