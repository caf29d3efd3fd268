/** A decoder whose layers attend to an encoder, where the oracle does not reach. */
import { expect, it } from "vitest";
import { describeArchitecture } from "../../../src/architecture/describe";
import type { Architecture } from "../../../src/architecture/description";
import { readArchitecture } from "../../../src/architecture/readArchitecture";
import { openCheckpoint } from "../../../src/checkpoint/open";
import { estimateDiagnosis } from "../../../src/diagnosis/estimate";
import { corruptedLengths } from "../../../src/diagnosis/spanCorruption";
import { sourceAxis } from "../../../src/graph/attention";
import { layerGraph } from "../../../src/graph/layer";
import { weightBytes } from "../../../src/graph/memory";
import { multiplyAdds } from "../../../src/graph/work";
import { copyFixture, editWeights, fixture, tokensOf } from "../support/checkpoints";
import { diagnoseHere, leastMemory } from "../support/pipeline";
import { setFloat } from "../support/safetensors";
import { scratchFolders } from "../support/scratch";

const scratch = scratchFolders();
const documents = tokensOf("t5-decoder");
const metrics = ["variance", "jacobian", "pruning", "sublayers"] as const;

it("finds the same batch after batch, in as little memory as will do", async () => {
  const path = fixture("t5-decoder");
  const options = { documents: [...documents, ...documents], metrics };
  const memoryBytes = await leastMemory(path, options);
  const batches = new Set<number>();
  const stages: unknown[] = [];
  const tight = await diagnoseHere(path, {
    ...options,
    memoryBytes,
    observer: {
      onStage: ({ part, batch }) => {
        batches.add(batch);
        if (batch === 1) stages.push(part);
        return Promise.resolve("go on");
      },
    },
  });
  expect(batches.size).toBeGreaterThan(1);
  expect(stages).toEqual(["encoder", "embedding", 0, 1, 2, "head"]);
  const roomy = await diagnoseHere(path, options);
  for (const [index, { jacobian, pruning, outputVariance }] of roomy.layers.entries()) {
    const found = tight.layers[index]!;
    expect(found.outputVariance!.mean).toBeCloseTo(outputVariance!.mean, 5);
    expect(found.jacobian!.identityDistance).toBeCloseTo(jacobian!.identityDistance, 4);
    expect(found.pruning!.deltaNll).toBeCloseTo(pruning!.deltaNll, 5);
    expect(found.pruning!.crossAttention!.deltaNll).toBeCloseTo(
      pruning!.crossAttention!.deltaNll,
      5,
    );
  }
  expect(tight.baseline!.nll).toBeCloseTo(roomy.baseline!.nll, 5);
  expect(tight.evaluation).toEqual(roomy.evaluation);
});

it("says which stack was measured, on what, and where its norms are", async () => {
  const { architecture, evaluation } = await diagnoseHere(fixture("t5-decoder"), { documents });
  expect(architecture).toMatchObject({ stack: "decoder", layers: 3, tiedHead: true });
  expect(architecture.norms).toEqual([
    { path: "decoder.block.*.layer.0.layer_norm", feeds: "attention", place: "before" },
    { path: "decoder.block.*.layer.1.layer_norm", feeds: "crossAttention", place: "before" },
    { path: "decoder.block.*.layer.2.layer_norm", feeds: "feedForward", place: "before" },
    { path: "decoder.final_layer_norm", feeds: "head", place: "before" },
  ]);
  expect(evaluation).toMatchObject({ objective: "span-corruption", documents: 3, tokens: 40 });
  const encoder = await diagnoseHere(fixture("t5-decoder"), { documents, stack: "encoder" });
  expect(encoder.architecture).toMatchObject({ stack: "encoder", layers: 2 });
  expect(encoder.evaluation).toMatchObject({ tokens: 187 });
  expect(encoder.evaluation).not.toHaveProperty("objective");
});

it("states that nothing could be measured behind an encoder that is not finite", async () => {
  const folder = copyFixture("t5-decoder", scratch());
  const name = "encoder.block.1.layer.0.SelfAttention.v.weight";
  editWeights(folder, (tensors) => {
    setFloat(tensors.get(name)!, 0, Number.NaN);
  });
  const { layers, findings, baseline } = await diagnoseHere(folder, { documents, metrics });
  expect(baseline).toBeUndefined();
  for (const { unmeasured, outputVariance } of layers) {
    expect(outputVariance).toBeUndefined();
    expect(unmeasured!.map(({ reason }) => reason)).toEqual(
      metrics.map(() => "activations are not finite from the encoder on"),
    );
  }
  expect(findings.map(({ text }) => text)).toEqual([
    `${folder}: ${name} holds NaN or infinite weights; activations are not finite from the encoder on.`,
  ]);
});

it("is planned for with the encoder's work and memory", async () => {
  const checkpoint = await openCheckpoint(fixture("t5-decoder"));
  const architecture = describeArchitecture(checkpoint);
  const { encoder, ...alone } = architecture;
  const estimateOf = (described: Architecture) =>
    estimateDiagnosis({
      checkpoint,
      architecture: described,
      metrics: new Set(["variance"]),
      probes: 1,
      memoryBytes: 2 ** 30,
      maxTokens: 640,
      sequenceLength: 64,
      threads: 1,
    });
  const whole = estimateOf(architecture);
  // 4 projections, scores and sums, and the feed-forward, of each token that the encoder reads.
  const { source } = corruptedLengths(64);
  const ofToken = 24 * 24 * 4 + source * 24 * 2 + 24 * 40 * 2;
  const products = whole.sequences * encoder!.layers.length * source * ofToken;
  expect(whole.time.multiplyAdds - estimateOf(alone).time.multiplyAdds).toBe(products);
  const layer = architecture.layers[0]!;
  expect(whole.memory.layer).toBe(weightBytes(layerGraph(layer, 24, false)));
});

it("is planned for where a decoder attends to its own embedding", async () => {
  const checkpoint = await openCheckpoint(fixture("torch-decoder"));
  const architecture = (await readArchitecture(checkpoint, {})).architecture({});
  const { layers, hiddenSize, vocabularySize } = architecture;
  const { sequences, time } = estimateDiagnosis({
    checkpoint,
    architecture,
    metrics: new Set(["variance"]),
    probes: 1,
    memoryBytes: 2 ** 30,
    maxTokens: 640,
    sequenceLength: 64,
    threads: 1,
  });
  const sizes = { batch: 1, sequence: 64, [sourceAxis]: 64 };
  const ofLayers = layers.reduce(
    (sum, layer) => sum + multiplyAdds(layerGraph(layer, hiddenSize, false), sizes),
    0,
  );
  expect(time.multiplyAdds).toBe(sequences * (ofLayers + 64 * hiddenSize * vocabularySize));
});
